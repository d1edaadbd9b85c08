//! The program under test. It sees none of the variables that whoever runs the tests has set for an attrsync of their own.

use std::process::Command;

/// `attrsync`, without arguments yet.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attrsync"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ATTRSYNC") {
            command.env_remove(name);
        }
    }
    command
}
