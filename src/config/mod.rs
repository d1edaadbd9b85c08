//! The configuration of the process: one commented default file (`config.default.toml`, embedded), under a file, the
//! environment and flags. What is not known, out of range or contradicts itself is refused before anything starts, all of it
//! at once. No secret is ever printed: what is shown passes through [`redact`].

mod aliases;
mod brokers;
mod check;
mod error;
mod files;
mod findings;
mod host;
mod keys;
mod layers;
mod properties;
mod redact;
pub mod reference;
mod sections;
mod slips;
mod texts;
mod values;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use toml::Value;

pub(crate) use check::{TOPIC_NAME, is_topic};
pub use error::{ConfigError, Problem, reason};
pub use layers::Origin;
pub use properties::{ClientRole, Properties};
pub use redact::{REDACTED, may_be_shown, without_userinfo};
pub use sections::{
    Admin, Config, Dashboard, Delivery, Input, Kafka, Log, LogFormat, MasterKeys, OnUnusable, PolicySection, Role,
    Security, Settings, SettingsSource, Telemetry, Worker,
};
pub use values::Effective;

use findings::Findings;
use layers::{Given, Layer};
use values::Values;

/// The commented default file.
pub const DEFAULTS: &str = include_str!("../../config.default.toml");

/// The file that is read, where there is one, when none is named.
pub const DEFAULT_FILE: &str = "attrsync.toml";

/// Where a configuration is read from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file; `None`: [`DEFAULT_FILE`] in the working folder, if it is there.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: BTreeMap<String, String>,
    /// Flags, the last one of a key counts.
    pub flags: Vec<Flag>,
}

/// A flag that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag as it was written, for messages.
    pub name: String,
    /// The dotted key.
    pub key: String,
    /// The value's text.
    pub text: String,
}

/// A configuration, and where each of its values came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Every value as it may be printed.
    pub effective: Vec<Effective>,
    /// What is doubtful, for a person to read.
    pub warnings: Vec<String>,
}

impl Loaded {
    /// Whether somebody wants a key to be as it is. A file that gives the default may have been made of the defaults as a whole.
    #[must_use]
    pub fn is_asked_for(&self, key: &str) -> bool {
        let defaults = Layer::defaults();
        let default = defaults.entries.get(key).map(|entry| &entry.given);
        let by_default = |effective: &Effective| match effective.origin {
            Origin::Default => true,
            Origin::File { .. } => matches!(default, Some(Given::Value(value)) if *value == effective.value),
            _ => false,
        };
        !self.effective.iter().any(|effective| effective.key == key && by_default(effective))
    }

    /// Whether nobody gave a key, and it has its default.
    #[must_use]
    pub fn is_default(&self, key: &str) -> bool {
        self.effective.iter().any(|effective| effective.key == key && effective.origin == Origin::Default)
    }
}

/// Reads the layers and checks what comes of them.
///
/// # Errors
/// Every problem found, each with the key, the value, its origin and the way out.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    read(sources).map_err(|problems| ConfigError { problems })
}

fn read(sources: &Sources) -> Result<Loaded, Vec<Problem>> {
    let defaults = Layer::defaults();
    let file = read_file(sources.file.as_deref());
    let variables = sources.variables.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let flags = sources.flags.iter().map(|flag| (flag.name.as_str(), flag.key.as_str(), flag.text.as_str()));
    let mut layer = defaults
        .clone()
        .under(file)
        .under(Layer::environment(variables, &defaults))
        .under(Layer::flags(flags, &defaults));

    // Each step puts the default in place of what it refuses, so that the next ones find what else is wrong.
    let mut found = std::mem::take(&mut layer.findings);
    keys::check(&mut layer, &defaults, &mut found);
    let warnings = slips::warnings(&sources.variables, &layer, &defaults);
    let mut values = Values::of(layer, &defaults, (&sources.variables, &mut found));
    check::ranges(&mut values, &mut found);
    host::name_instance(&mut values, &mut found);
    let config = typed(&mut values, &mut found);
    if let Some(config) = &config {
        check::contradictions(config, &values, &mut found);
    }
    found.told()?;
    let effective = values.effective();
    config.map(|config| Loaded { config, effective, warnings }).ok_or_else(Vec::new)
}

fn read_file(path: Option<&Path>) -> Layer {
    let named = path.is_some();
    let path = path.unwrap_or(Path::new(DEFAULT_FILE));
    match fs::read_to_string(path) {
        Ok(text) => Layer::file(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !named => Layer::default(),
        Err(error) => Layer::unread(Problem::unreadable(path, &error)),
    }
}

/// The values as sections. What types and ranges left open is told here: names of variants, addresses, sources. None where the
/// values make no configuration whatever is put in the place of those that are wrong.
fn typed(values: &mut Values, found: &mut Findings) -> Option<Config> {
    loop {
        let error = match serde_path_to_error::deserialize(Value::Table(values.table())) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let error: serde_path_to_error::Error<toml::de::Error> = error;
        let key = error.path().to_string();
        let problem = error.inner().message().to_owned();
        found.add(
            &key,
            match values.given(&key) {
                Some(given) => Problem::Refused { given, problem },
                None => Problem::refused(&key, None, &Origin::Default, problem),
            },
        );
        // A default can't be wrong; what is wrong with none in its place would be wrong for ever.
        if !values.fall_back(&key) {
            return None;
        }
    }
}

#[cfg(test)]
mod tests;
