//! Files that librdkafka reads by itself: whether they can be read here. No other check looks at them, since a configuration may be
//! shown on a machine that hasn't got them.

use std::{fs::File, io, io::Read, path::Path};

use super::{ConfigError, Loaded, Problem, error, layers::PROPERTIES};

/// Properties whose value is a file that is read.
const FILES: [&str; 9] = [
    "ssl.ca.location",
    "https.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.keystore.location",
    "ssl.crl.location",
    "sasl.kerberos.keytab",
    "sasl.oauthbearer.assertion.private.key.file",
    "sasl.oauthbearer.assertion.file",
];

/// Those that may be a folder, too, or the word that has librdkafka look where systems have their authorities.
const AUTHORITIES: [&str; 2] = ["ssl.ca.location", "https.ca.location"];
const PROBE: &str = "probe";

impl Loaded {
    /// Reads the files that properties of librdkafka name, as a client will.
    ///
    /// # Errors
    /// Every one that can't be read, with the property and what the system says.
    pub fn check_files(&self) -> Result<(), ConfigError> {
        let kafka = &self.config.kafka;
        let properties = [&kafka.properties, &kafka.consumer.properties, &kafka.producer.properties];
        let all = PROPERTIES.into_iter().zip(properties);
        let all = all.flat_map(|(table, named)| named.iter().map(move |property| (table, property)));
        let files = all.filter(|(_, (name, path))| FILES.contains(name) && !path.is_empty());
        let problems: Vec<_> = files.filter_map(|(table, property)| self.unreadable(table, property)).collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }

    fn unreadable(&self, table: &str, (name, path): (&str, &str)) -> Option<Problem> {
        let error = why_not(name, path)?;
        let key = format!("{table}.{name}");
        let given = self.effective.iter().find(|effective| effective.key == key)?.given();
        Some(Problem::Refused { given, problem: format!("cannot be read: {}", error::reason(&error)) })
    }
}

/// Why the file of a property can't be read, if it can't.
fn why_not(name: &str, path: &str) -> Option<io::Error> {
    let error = File::open(Path::new(path)).and_then(|mut file| file.read(&mut [0])).err()?;
    let fine = AUTHORITIES.contains(&name) && (path == PROBE || error.kind() == io::ErrorKind::IsADirectory);
    (!fine).then_some(error)
}
