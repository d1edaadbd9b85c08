//! What is said of a panic, whichever command it comes in: where, and not what. A panic's message can hold a value of an event.

use std::{
    io::Write,
    panic::{self, PanicHookInfo},
    thread,
};

/// Has every panic from here on told so, in the log of a command that writes one, else on standard error.
pub(super) fn tell_where_alone() {
    panic::set_hook(Box::new(tell));
}

fn tell(info: &PanicHookInfo<'_>) {
    let place = place(info);
    if tracing::enabled!(tracing::Level::ERROR) {
        let thread = thread::current();
        tracing::error!(thread = thread.name().unwrap_or_default(), location = place, "panic: a bug in attrsync");
    } else {
        // Nobody is left to tell when this fails.
        _ = writeln!(anstream::stderr(), "panic: a bug in attrsync, at {place}");
    }
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The variable that has the test panic in a process of its own.
    const CHILD: &str = "ATTRSYNC_TEST_PANIC";

    #[test]
    fn a_panic_is_told_by_its_place_and_not_by_its_message() {
        if std::env::var_os(CHILD).is_some() {
            tell_where_alone();
            panic!("ada@example.com");
        }
        let name = "cli::panics::tests::a_panic_is_told_by_its_place_and_not_by_its_message";
        let mut child = Command::new(std::env::current_exe().unwrap());
        let ran = child.args(["--exact", name, "--nocapture"]).env(CHILD, "1").output().unwrap();
        let told = String::from_utf8(ran.stderr).unwrap();
        assert!(!ran.status.success());
        assert!(told.contains("panic: a bug in attrsync, at src/cli/panics.rs:"), "{told}");
        assert!(!told.contains("ada") && !String::from_utf8_lossy(&ran.stdout).contains("ada"), "{told}");
    }
}
