//! The name of this process where the operator gives none: the host's.

use std::fs;

use toml::Value;

use super::{error::Problem, findings::Findings, layers::Origin, values::Values};

/// The key.
const INSTANCE: &str = "kafka.instance";

/// Where Linux keeps the host's name, a container's as well.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// Gives an instance without a name the host's.
pub(super) fn name_instance(values: &mut Values, found: &mut Findings) {
    let Some((Value::String(name), origin)) = values.get(INSTANCE) else { return };
    if !name.is_empty() {
        return;
    }
    let host = fs::read_to_string(HOST_NAME).unwrap_or_default();
    let host = host.trim();
    if host.is_empty() {
        let problem = "this host tells no name: set one, the same after each restart and other than those of its peers";
        found.add(INSTANCE, Problem::refused(INSTANCE, None, origin, problem));
    } else {
        values.set(INSTANCE, Value::String(host.to_owned()), Origin::Host);
    }
}
