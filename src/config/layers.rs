//! The layers of the configuration and how they fall into one: defaults, under a file, the environment and flags.
//!
//! Everything is a flat map from a dotted key to what was given for it, so that a later layer replaces one value and every
//! value knows where it came from. Librdkafka's own names hold dots and so do topics: within an [open table] all that follows
//! the table's name is one name.
//!
//! [open table]: OPEN_TABLES

use std::{
    collections::{BTreeMap, btree_map::Entry as Slot},
    fmt,
    ops::Range,
    path::PathBuf,
};

use toml::{Table, Value};

use super::{aliases, error::Problem, findings::Findings, texts};

/// Tables whose names the operator chooses. A property may also stand in a file or another variable: see [`Given`].
pub(super) const OPEN_TABLES: [&str; 5] =
    [PROPERTIES[0], PROPERTIES[1], PROPERTIES[2], "kafka.input.types", MASTER_KEYS];

/// The open table of master keys.
pub(super) const MASTER_KEYS: &str = "settings.master_keys";

/// The one key outside of open tables whose value may stand elsewhere: it can hold a password.
pub(super) const SETTINGS_SOURCE: &str = "settings.source";

/// The open tables of librdkafka properties.
pub(super) const PROPERTIES: [&str; 3] = ["kafka.properties", "kafka.consumer.properties", "kafka.producer.properties"];

/// The first part of a variable's name: `ATTRSYNC__WORKER__SHARDS` is `worker.shards`.
pub(super) const VARIABLE_PREFIX: &str = "ATTRSYNC__";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The embedded default file.
    Default,
    /// The name of the host, for want of a given one.
    Host,
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => write!(f, "default"),
            Origin::Host => write!(f, "the host's name"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Variable(name) => write!(f, "{name} in the environment"),
            Origin::Flag(name) => write!(f, "the flag {name}"),
        }
    }
}

/// What was given for a key.
#[derive(Clone, PartialEq)]
pub(super) enum Given {
    /// The value itself.
    Value(Value),
    /// A file that holds it.
    InFile(PathBuf),
    /// A variable that holds it.
    InVariable(String),
}

/// What was given for a key, and where.
#[derive(Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) given: Given,
    pub(super) origin: Origin,
}

/// A layer, or several that have fallen into one.
#[derive(Clone, Default)]
pub(super) struct Layer {
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) findings: Findings,
}

impl Layer {
    /// The embedded defaults.
    pub(super) fn defaults() -> Self {
        let mut layer = Self::default();
        let table = super::DEFAULTS.parse().unwrap_or_default();
        for (key, value) in flatten(table) {
            layer.add(key, value, Origin::Default);
        }
        layer
    }

    /// A file's text. Of a file that is no TOML nothing is quoted: the line may hold a password.
    pub(super) fn file(path: &std::path::Path, text: &str) -> Self {
        let mut layer = Self::default();
        match text.parse() {
            Ok(table) => {
                let lines = lines_of_keys(text);
                for (key, value) in flatten(table) {
                    let line = lines.get(&key).copied().unwrap_or(1);
                    layer.add(key, value, Origin::File { path: path.to_owned(), line });
                }
            }
            Err(error) => {
                return Self::unread(Problem::Syntax {
                    path: path.to_owned(),
                    line: line_of(text, error.span().unwrap_or_default()),
                    message: error.message().to_owned(),
                });
            }
        }
        layer
    }

    /// A file that can't be read.
    pub(super) fn unread(problem: Problem) -> Self {
        let mut layer = Self::default();
        layer.findings.unread(problem);
        layer
    }

    /// The variables that begin as ours do. Within properties an underscore stands for a dot.
    pub(super) fn environment<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>, defaults: &Layer) -> Self {
        let mut layer = Self::default();
        for (name, text) in variables {
            let Some(path) = name.strip_prefix(VARIABLE_PREFIX) else { continue };
            let key = path.replace("__", ".").to_ascii_lowercase();
            let key = match property(&key) {
                Some((table, property)) => format!("{table}.{}", property.replace('_', ".")),
                None => key,
            };
            layer.add_text((&key, text), &Origin::Variable(name.to_owned()), defaults);
        }
        layer
    }

    /// Flags, each as its name, its key and its text. The last one of a key counts.
    pub(super) fn flags<'a>(flags: impl Iterator<Item = (&'a str, &'a str, &'a str)>, defaults: &Layer) -> Self {
        let mut all = Self::default();
        for (name, key, text) in flags {
            let mut layer = Self::default();
            layer.add_text((key, text), &Origin::Flag(name.to_owned()), defaults);
            all = all.under(layer);
        }
        all
    }

    /// This layer with another one over it.
    pub(super) fn under(mut self, upper: Self) -> Self {
        self.entries.extend(upper.entries);
        self.findings.extend(upper.findings);
        self
    }

    /// Adds what a text gives for a key. A table's text is not quoted where it is refused: it may hold a password.
    fn add_text(&mut self, (key, text): (&str, &str), origin: &Origin, defaults: &Layer) {
        let default = defaults.entries.get(key).and_then(|entry| match &entry.given {
            Given::Value(default) => Some(default),
            _ => None,
        });
        match texts::read(key, text, default) {
            Ok(values) => {
                for (key, value) in values {
                    self.add(key, value, origin.clone());
                }
            }
            Err(expected) => {
                let text = (!OPEN_TABLES.contains(&key)).then(|| Value::String(text.to_owned()));
                self.findings.add(key, Problem::refused(key, text.as_ref(), origin, expected));
            }
        }
    }

    /// Keeps a value under its key. Where a value may stand elsewhere, `NAME.file` and `NAME.env` say where that of `NAME` does.
    /// Within properties numbers and booleans are texts, as librdkafka wants them, and each property has [one name](aliases).
    fn add(&mut self, key: String, value: Value, origin: Origin) {
        let (key, given) = match (property(&key).is_some(), value) {
            (_, Value::String(text)) if may_stand_elsewhere(&key) => match key.rsplit_once('.') {
                Some((name, "file")) => (name.to_owned(), Given::InFile(text.into())),
                Some((name, "env")) => (name.to_owned(), Given::InVariable(text)),
                _ => (key, Given::Value(Value::String(text))),
            },
            (true, scalar @ (Value::Integer(_) | Value::Boolean(_) | Value::Float(_))) => {
                (key, Given::Value(Value::String(scalar.to_string())))
            }
            (_, value) => (key, Given::Value(value)),
        };
        match self.entries.entry(with_one_name(key)) {
            Slot::Vacant(slot) => _ = slot.insert(Entry { given, origin }),
            Slot::Occupied(slot) => {
                let problem = Problem::refused(slot.key(), None, &origin, twice(slot.key()));
                self.findings.add(slot.key(), problem);
            }
        }
    }
}

/// The open table that a key lies in, and its name within.
pub(super) fn open_table(key: &str) -> Option<(&'static str, &str)> {
    OPEN_TABLES.into_iter().find_map(|table| Some((table, key.strip_prefix(table)?.strip_prefix('.')?)))
}

/// The variable that gives a key.
pub(super) fn variable(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// The open table of properties that a key lies in, and its name within.
fn property(key: &str) -> Option<(&'static str, &str)> {
    open_table(key).filter(|(table, _)| PROPERTIES.contains(table))
}

/// A key by the one name of its property, where it is one's.
fn with_one_name(key: String) -> String {
    match property(&key) {
        Some((table, given)) => format!("{table}.{}", aliases::name(given)),
        None => key,
    }
}

/// What is said of a key that is there already: perhaps under a name that nobody sees beside this one.
fn twice(key: &str) -> String {
    let other = property(key).and_then(|(_, name)| aliases::other_name(name));
    let other = other.map_or(String::new(), |other| format!(" ({other} is the same property)"));
    format!("given twice in one place{other}: keep one")
}

/// Whether a key is, or says where to find, a value that may stand in a file or another variable.
fn may_stand_elsewhere(key: &str) -> bool {
    let in_table = open_table(key).is_some_and(|(table, _)| PROPERTIES.contains(&table) || table == MASTER_KEYS);
    in_table || key.strip_prefix(SETTINGS_SOURCE).is_some_and(|rest| matches!(rest, ".file" | ".env"))
}

/// A table's values by their dotted keys.
pub(super) fn flatten(table: Table) -> Vec<(String, Value)> {
    table
        .into_iter()
        .flat_map(|(name, value)| match value {
            Value::Table(inner) => {
                flatten(inner).into_iter().map(|(key, value)| (format!("{name}.{key}"), value)).collect()
            }
            value => vec![(name, value)],
        })
        .collect()
}

/// The line at which each key's value begins.
fn lines_of_keys(text: &str) -> BTreeMap<String, usize> {
    fn walk(prefix: &str, table: &toml::de::DeTable<'_>, text: &str, lines: &mut BTreeMap<String, usize>) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            match value.get_ref() {
                toml::de::DeValue::Table(inner) => walk(&format!("{key}."), inner, text, lines),
                _ => _ = lines.insert(key, line_of(text, name.span())),
            }
        }
    }
    let mut lines = BTreeMap::new();
    if let Ok(table) = toml::de::DeTable::parse(text) {
        walk("", table.get_ref(), text, &mut lines);
    }
    lines
}

fn line_of(text: &str, span: Range<usize>) -> usize {
    1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
}
