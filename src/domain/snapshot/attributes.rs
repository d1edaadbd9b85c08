//! The attributes of an organization by name. Tenants configure the same few names and types over and over, so that equal
//! attributes are kept once, and equal tables too, by whoever builds many of them ([`Pool`]).

use std::{
    borrow::Borrow,
    collections::HashSet,
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::Arc,
};

use rustc_hash::FxHasher;

type Quick = BuildHasherDefault<FxHasher>;

/// A configured attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// What values it takes.
    pub kind: AttributeType,
    /// Accepts signed values only.
    pub locked: bool,
    /// Accepts nothing any more.
    pub archived: bool,
}

/// What values an attribute takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AttributeType {
    /// A text of at most `max_chars` Unicode scalar values, one of `options` where there are any.
    Text {
        /// The most Unicode scalar values.
        max_chars: usize,
        /// The only texts accepted; empty: any.
        options: Vec<Box<str>>,
    },
    /// A number within a double's range, its digits kept.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A date in any spelling that `EventTime` reads; emitted as RFC 3339.
    Date,
    /// A list of such texts.
    TextList {
        /// The most Unicode scalar values of each text.
        max_chars: usize,
        /// The only texts accepted; empty: any.
        options: Vec<Box<str>>,
    },
}

/// An attribute and its name.
#[derive(Debug)]
struct Entry {
    name: Box<str>,
    attribute: Attribute,
    folded: u32,
}

/// An entry in a table, where it is found by its name.
#[derive(Debug, Clone)]
struct Named(Arc<Entry>);

impl Borrow<str> for Named {
    fn borrow(&self) -> &str {
        &self.0.name
    }
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Named {}

/// Attributes by name.
#[derive(Debug, Clone, Default)]
pub struct AttributeTable(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    by_name: HashSet<Named, Quick>,
    /// Digests of the names without case and punctuation, sorted: what a near miss is told by.
    folded: Box<[u32]>,
}

impl AttributeTable {
    /// The attribute of this exact name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.by_name.get(name).map(|named| &named.0.attribute)
    }

    /// Whether a configured name differs from `name` in case and punctuation alone. A collision of digests would make a hint
    /// wrong, and nothing else.
    #[must_use]
    pub fn nearly(&self, name: &str) -> bool {
        self.0.folded.binary_search(&folded(name)).is_ok()
    }

    /// All attributes, in no order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Attribute)> {
        self.0.by_name.iter().map(|named| (named.0.name.as_ref(), &named.0.attribute))
    }
}

/// A digest of a name without case and punctuation.
#[expect(clippy::cast_possible_truncation, reason = "half of the digest's bits are enough to tell a near miss")]
fn folded(name: &str) -> u32 {
    let mut hasher = FxHasher::default();
    if name.is_ascii() {
        // The same letters, without the tables of Unicode: nearly every name is of this kind.
        let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
        letters.for_each(|letter| hasher.write_u32(letter.to_ascii_lowercase().into()));
    } else {
        let letters = name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase);
        letters.for_each(|letter| hasher.write_u32(letter.into()));
    }
    (hasher.finish() >> 16) as u32
}

/// Attributes and tables that were built before, for those that are built next.
#[derive(Debug, Default)]
pub struct Pool {
    entries: HashSet<Whole, Quick>,
    tables: HashSet<Alike, Quick>,
}

/// An entry, found by its name and its attribute.
#[derive(Debug)]
struct Whole(Arc<Entry>);

impl Hash for Whole {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.0.name, &self.0.attribute).hash(state);
    }
}

impl PartialEq for Whole {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name && self.0.attribute == other.0.attribute
    }
}

impl Eq for Whole {}

/// A table, compared by the entries that it shares with others.
#[derive(Debug)]
struct Alike(Arc<Table>);

impl Hash for Alike {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let sum = |sum: usize, named: &Named| sum.wrapping_add(Arc::as_ptr(&named.0) as usize);
        self.0.by_name.iter().fold(0, sum).hash(state);
    }
}

impl PartialEq for Alike {
    fn eq(&self, other: &Self) -> bool {
        let same = |named: &Named| other.0.by_name.get(named).is_some_and(|found| Arc::ptr_eq(&found.0, &named.0));
        self.0.by_name.len() == other.0.by_name.len() && self.0.by_name.iter().all(same)
    }
}

impl Eq for Alike {}

impl Pool {
    /// The table of these attributes.
    pub fn table(&mut self, attributes: impl IntoIterator<Item = (Box<str>, Attribute)>) -> AttributeTable {
        let by_name: HashSet<_, _> =
            attributes.into_iter().map(|(name, attribute)| self.entry(name, attribute)).collect();
        let mut folds: Vec<_> = by_name.iter().map(|named| named.0.folded).collect();
        folds.sort_unstable();
        let table = Alike(Arc::new(Table { by_name, folded: folds.into() }));
        if let Some(known) = self.tables.get(&table) {
            return AttributeTable(Arc::clone(&known.0));
        }
        let made = AttributeTable(Arc::clone(&table.0));
        self.tables.insert(table);
        made
    }

    fn entry(&mut self, name: Box<str>, attribute: Attribute) -> Named {
        let mut entry = Arc::new(Entry { name, attribute, folded: 0 });
        if let Some(known) = self.entries.get(&Whole(Arc::clone(&entry))) {
            return Named(Arc::clone(&known.0));
        }
        // Folded once for all tables that it comes to stand in; nobody else has it yet.
        if let Some(entry) = Arc::get_mut(&mut entry) {
            entry.folded = folded(&entry.name);
        }
        self.entries.insert(Whole(Arc::clone(&entry)));
        Named(entry)
    }

    /// Lets go of what no organization uses any more.
    pub fn tidy(&mut self) {
        self.tables.retain(|table| Arc::strong_count(&table.0) > 1);
        self.entries.retain(|entry| Arc::strong_count(&entry.0) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(locked: bool) -> Attribute {
        Attribute { kind: AttributeType::Text { max_chars: 9, options: Vec::new() }, locked, archived: false }
    }

    fn table(pool: &mut Pool, attributes: &[(&str, bool)]) -> AttributeTable {
        pool.table(attributes.iter().map(|(name, locked)| ((*name).into(), text(*locked))))
    }

    #[test]
    fn equal_tables_are_kept_once_and_different_ones_are_not_mistaken_for_each_other() {
        let mut pool = Pool::default();
        let one = table(&mut pool, &[("plan", true), ("size", false)]);
        assert!(Arc::ptr_eq(&one.0, &table(&mut pool, &[("size", false), ("plan", true)]).0));
        for other in [&[("plan", true)][..], &[("plan", false), ("size", false)], &[("plan", true), ("sizes", false)]] {
            assert!(!Arc::ptr_eq(&one.0, &table(&mut pool, other).0), "{other:?}");
        }
        assert!(one.get("plan").unwrap().locked && one.get("plan ").is_none());
        assert!(one.nearly("P-lan") && !one.nearly("plans"));
    }

    #[test]
    fn what_nobody_uses_is_let_go() {
        let mut pool = Pool::default();
        let used = table(&mut pool, &[("plan", true)]);
        drop(table(&mut pool, &[("size", true)]));
        pool.tidy();
        assert_eq!((pool.tables.len(), pool.entries.len()), (1, 1));
        assert_eq!(used.iter().len(), 1);
    }
}
