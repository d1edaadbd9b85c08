//! The layers fallen into one, with what stands elsewhere (a file, a variable) fetched: the effective values.

use std::{collections::BTreeMap, fs, path::Path};

use toml::{Table, Value};

use super::{
    error::{self, Problem},
    findings::Findings,
    layers::{Entry, Given, Layer, Origin, open_table},
    redact, reference,
};
use crate::domain::line_end;

/// The effective value of every key, and where it came from.
#[derive(Clone, Default)]
pub(super) struct Values {
    held: BTreeMap<String, Held>,
    /// What stands in for a value that is wrong.
    defaults: BTreeMap<String, Value>,
}

#[derive(Clone)]
struct Held {
    value: (Value, Origin),
    /// Where the value itself stands, if not where the key does.
    elsewhere: Option<String>,
}

/// An effective value, fit for print.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// The dotted key.
    pub key: String,
    /// The value; of a secret only that it is one.
    pub value: Value,
    /// Where the key was given.
    pub origin: Origin,
    /// The file or variable that holds the value, if it does not stand beside the key.
    pub elsewhere: Option<String>,
}

impl Effective {
    /// The key with its value and origin, for a message. A value that stands elsewhere is named by its place alone.
    pub(super) fn given(&self) -> String {
        given(&self.key, (&self.value, &self.origin), self.elsewhere.as_deref())
    }

    /// The section that the key stands in, and its name there.
    #[must_use]
    pub fn section_and_name(&self) -> (&str, &str) {
        open_table(&self.key).or_else(|| self.key.rsplit_once('.')).unwrap_or(("", &self.key))
    }
}

impl Values {
    /// Fetches what stands elsewhere. A key without a value, since that was wrong, has its default.
    pub(super) fn of(
        layer: Layer,
        defaults: &Layer,
        (variables, found): (&BTreeMap<String, String>, &mut Findings),
    ) -> Self {
        let default = |(key, entry): (&String, &Entry)| match &entry.given {
            Given::Value(value) => Some((key.clone(), value.clone())),
            Given::InFile(_) | Given::InVariable(_) => None,
        };
        let mut values =
            Self { held: BTreeMap::new(), defaults: defaults.entries.iter().filter_map(default).collect() };
        for key in values.defaults.keys().cloned().collect::<Vec<_>>() {
            values.fall_back(&key);
        }
        for (key, entry) in layer.entries {
            match fetch(&entry, variables) {
                Ok((value, elsewhere)) => {
                    values.held.insert(key, Held { value: (value, entry.origin), elsewhere });
                }
                Err(problem) => found.add(&key, Problem::refused(&key, None, &entry.origin, problem)),
            }
        }
        values
    }

    /// Puts the default in the place of a value that is wrong; whether that is another one.
    pub(super) fn fall_back(&mut self, key: &str) -> bool {
        let Some(default) = self.defaults.get(key).cloned() else { return self.held.remove(key).is_some() };
        let differs = self.get(key).is_none_or(|(value, _)| *value != default);
        self.set(key, default, Origin::Default);
        differs
    }

    pub(super) fn get(&self, key: &str) -> Option<&(Value, Origin)> {
        self.held.get(key).map(|held| &held.value)
    }

    /// A key with its value and origin, for a message. A value that stands elsewhere is named by its place alone.
    pub(super) fn given(&self, key: &str) -> Option<String> {
        let Held { value: (value, origin), elsewhere } = self.held.get(key)?;
        Some(given(key, (value, origin), elsewhere.as_deref()))
    }

    /// Whether a key's value stands elsewhere, and is not for print.
    pub(super) fn is_elsewhere(&self, key: &str) -> bool {
        self.held.get(key).is_some_and(|held| held.elsewhere.is_some())
    }

    pub(super) fn set(&mut self, key: &str, value: Value, origin: Origin) {
        self.held.insert(key.to_owned(), Held { value: (value, origin), elsewhere: None });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &(Value, Origin))> {
        self.held.iter().map(|(key, held)| (key.as_str(), &held.value))
    }

    /// The values as the nested table that the sections are read from. Open tables are there even when empty.
    pub(super) fn table(&self) -> Table {
        let mut root = Table::new();
        for table in super::layers::OPEN_TABLES {
            section(&mut root, table);
        }
        for (key, (value, _)) in self.iter() {
            let (path, name) = match open_table(key) {
                Some((table, name)) => (table, name),
                None => key.rsplit_once('.').unwrap_or(("", key)),
            };
            if let Some(section) = section(&mut root, path) {
                section.insert(name.to_owned(), value.clone());
            }
        }
        root
    }

    /// The values as they may be printed, in the order of the default file.
    pub(super) fn effective(&self) -> Vec<Effective> {
        let effective = |(key, held): (&String, &Held)| {
            let Held { value: (value, origin), elsewhere } = held;
            let value = match elsewhere {
                Some(_) => Value::String(redact::REDACTED.to_owned()),
                None => redact::printable(key, value),
            };
            Effective { key: key.clone(), value, origin: origin.clone(), elsewhere: elsewhere.clone() }
        };
        let order = reference::order();
        let place = |key: &str| {
            order.iter().position(|known| known == key || (known.ends_with('.') && key.starts_with(known.as_str())))
        };
        let mut all: Vec<_> = self.held.iter().map(effective).collect();
        all.sort_by_cached_key(|effective| place(&effective.key));
        all
    }
}

fn given(key: &str, (value, origin): (&Value, &Origin), elsewhere: Option<&str>) -> String {
    match elsewhere {
        Some(place) => format!("{key} ({place}, by {origin})"),
        None => error::given(key, Some(value), origin),
    }
}

/// The table at a dotted path, made where it isn't there.
fn section<'t>(root: &'t mut Table, path: &str) -> Option<&'t mut Table> {
    path.split('.')
        .try_fold(root, |table, name| table.entry(name).or_insert_with(|| Value::Table(Table::new())).as_table_mut())
}

/// The value, and where it stands if that is elsewhere.
fn fetch(entry: &Entry, variables: &BTreeMap<String, String>) -> Result<(Value, Option<String>), String> {
    match &entry.given {
        Given::Value(value) => Ok((value.clone(), None)),
        Given::InFile(path) => {
            let place = format!("the file {}", path.display());
            secret_in(path).map(|text| (Value::String(text), Some(place)))
        }
        Given::InVariable(name) => match variables.get(name) {
            Some(text) if !text.is_empty() => {
                Ok((Value::String(text.clone()), Some(format!("{name} in the environment"))))
            }
            Some(_) => Err(format!("{name} in the environment is empty")),
            None => Err(format!("{name} is not set in the environment")),
        },
    }
}

/// A file's text without the line end that editors add.
fn secret_in(path: &Path) -> Result<String, String> {
    let mut text = fs::read_to_string(path)
        .map_err(|error| format!("{} cannot be read: {}", path.display(), error::reason(&error)))?;
    text.truncate(line_end::len_without(text.as_bytes()));
    if text.is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    Ok(text)
}
