//! The configuration of the process: one commented default file (`config.default.toml`, embedded), under a file, the
//! environment and flags. What is not known or contradicts itself is refused before anything starts.

mod properties;
mod sections;

pub use properties::{ClientRole, Properties};
pub use sections::{
    Admin, Config, Delivery, Input, Kafka, Log, LogFormat, PolicySection, Role, Security, Settings, SettingsSource,
    Worker,
};

/// The commented default file.
pub const DEFAULTS: &str = include_str!("../../config.default.toml");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Policy;

    #[test]
    fn the_default_file_is_a_complete_configuration_and_agrees_with_the_domain() {
        let config: Config = toml::from_str(DEFAULTS).unwrap();
        assert_eq!(config.policy(), Policy::default());
    }
}
