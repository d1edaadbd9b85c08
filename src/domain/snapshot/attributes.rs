//! The attributes of an organization by name. Tenants configure the same few names and types over and over, so that equal
//! attributes are kept once, and equal tables too, by whoever builds many of them ([`Pool`]).

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::Arc,
};

use compact_str::CompactString;
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
        /// The only texts accepted, sorted; empty: any.
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
        /// The only texts accepted, sorted; empty: any.
        options: Vec<Box<str>>,
    },
}

/// An attribute and its name.
#[derive(Debug)]
struct Entry {
    name: CompactString,
    attribute: Attribute,
    digests: Digests,
}

/// Digests of a name.
#[derive(Debug, Clone, Copy, Default)]
struct Digests {
    /// Of the name as it is.
    exact: u32,
    /// Of the name without case and punctuation.
    folded: u32,
}

/// A place in a table. Its columns are in orders of their own, so that each is searched by halves and both share a line of the cache.
#[derive(Debug, Clone)]
struct Slot {
    /// The digest of the entry's name.
    exact: u32,
    /// Another entry's, without case and punctuation: near misses are few, and nothing more is asked of them.
    folded: u32,
    entry: Arc<Entry>,
}

/// Attributes by name: in the order of the digests, in one piece of memory.
#[derive(Debug, Clone, Default)]
pub struct AttributeTable(Arc<[Slot]>);

/// What a table has for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'t> {
    /// The attribute of this exact name.
    Configured(&'t Attribute),
    /// One whose name differs in case and punctuation alone. A collision of digests would make a hint wrong, and nothing else.
    NearMiss,
    /// Nothing.
    Nothing,
}

impl AttributeTable {
    /// What there is for this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Found<'_> {
        match self.get(name) {
            Some(attribute) => Found::Configured(attribute),
            None if self.has_folded(folded(name)) => Found::NearMiss,
            None => Found::Nothing,
        }
    }

    /// The attribute of this exact name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        let exact = exact(name);
        let from = self.0.partition_point(|slot| slot.exact < exact);
        let alike = self.0.get(from..)?.iter().take_while(|slot| slot.exact == exact);
        alike.map(|slot| &*slot.entry).find(|entry| entry.name == name).map(|entry| &entry.attribute)
    }

    fn has_folded(&self, folded: u32) -> bool {
        self.0.binary_search_by_key(&folded, |slot| slot.folded).is_ok()
    }

    /// All attributes, in no order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Attribute)> {
        self.0.iter().map(|slot| (slot.entry.name.as_str(), &slot.entry.attribute))
    }

    /// Reads from every cache line of a table of usual size: see [`Organization::touch`](super::Organization::touch).
    pub(super) fn touch(&self) -> u64 {
        const SLOTS_A_LINE: usize = 64 / size_of::<Slot>();
        const LINES: usize = 12;
        self.0.iter().step_by(SLOTS_A_LINE).take(LINES).fold(0, |all, slot| all ^ u64::from(slot.exact))
    }
}

/// A digest of a name.
fn exact(name: &str) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(name.as_bytes());
    halved(hasher.finish())
}

/// Both halves of a digest, since not every letter reaches both.
fn halved(digest: u64) -> u32 {
    (digest >> 32) as u32 ^ digest as u32
}

/// A digest of a name without case and punctuation.
fn folded(name: &str) -> u32 {
    let mut letters = Letters::default();
    if name.is_ascii() {
        // The same letters, without the tables of Unicode: nearly every name is of this kind.
        name.bytes().for_each(|byte| letters.push(LETTERS.get(usize::from(byte)).copied().unwrap_or_default()));
    } else {
        let folded = name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase);
        folded.for_each(|char| char.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| letters.push(byte)));
    }
    halved(letters.digest())
}

/// What each byte of ASCII is as a letter or digit; zero where it is neither.
const LETTERS: [u8; 128] = {
    let (mut letters, mut byte) = ([0; 128], 0);
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            letters[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    letters
};

/// Letters of a name, digested eight at a time. None is zero, so that a word that isn't full is like no other.
#[derive(Default)]
struct Letters {
    hasher: FxHasher,
    word: u64,
}

impl Letters {
    /// Takes a letter; zero is none. Without a branch for that: punctuation stands where no processor foresees it.
    fn push(&mut self, letter: u8) {
        self.word = self.word << (if letter == 0 { 0 } else { 8 }) | u64::from(letter);
        if self.word >> 56 != 0 {
            self.hasher.write_u64(self.word);
            self.word = 0;
        }
    }

    fn digest(mut self) -> u64 {
        self.hasher.write_u64(self.word);
        self.hasher.finish()
    }
}

/// Attributes and tables that were built before, for those that are built next.
#[derive(Debug, Default)]
pub struct Pool {
    entries: HashSet<Whole, Quick>,
    tables: HashSet<Alike, Quick>,
    /// How many of both there were when it was tidied last.
    kept: usize,
}

/// As few as these are not worth a look at whether somebody uses them.
const FEW: usize = 64;

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
struct Alike(AttributeTable);

impl Alike {
    fn entries(&self) -> impl Iterator<Item = *const Entry> {
        self.0.0.iter().map(|slot| Arc::as_ptr(&slot.entry))
    }
}

impl Hash for Alike {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.entries().for_each(|entry| entry.hash(state));
    }
}

impl PartialEq for Alike {
    fn eq(&self, other: &Self) -> bool {
        self.entries().eq(other.entries())
    }
}

impl Eq for Alike {}

impl Pool {
    /// The table of these attributes; no two have the same name.
    pub fn table(&mut self, attributes: impl IntoIterator<Item = (CompactString, Attribute)>) -> AttributeTable {
        let mut entries: Vec<_> = attributes.into_iter().map(|(name, attribute)| self.entry(name, attribute)).collect();
        entries.sort_unstable_by(|one, other| (one.digests.exact, &one.name).cmp(&(other.digests.exact, &other.name)));
        let mut folded: Vec<_> = entries.iter().map(|entry| entry.digests.folded).collect();
        folded.sort_unstable();
        let slot = |(entry, folded): (Arc<Entry>, u32)| Slot { exact: entry.digests.exact, folded, entry };
        let table = Alike(AttributeTable(entries.into_iter().zip(folded).map(slot).collect()));
        if let Some(known) = self.tables.get(&table) {
            return known.0.clone();
        }
        let made = table.0.clone();
        self.tables.insert(table);
        made
    }

    fn entry(&mut self, name: CompactString, attribute: Attribute) -> Arc<Entry> {
        let mut entry = Arc::new(Entry { name, attribute, digests: Digests::default() });
        if let Some(Whole(known)) = self.entries.get(&Whole(Arc::clone(&entry))) {
            return Arc::clone(known);
        }
        // Digested once for all tables that it comes to stand in; nobody else has it yet.
        if let Some(entry) = Arc::get_mut(&mut entry) {
            entry.digests = Digests { exact: exact(&entry.name), folded: folded(&entry.name) };
        }
        self.entries.insert(Whole(Arc::clone(&entry)));
        entry
    }

    /// Lets go of what no organization uses any more, once there is twice as much as there was: what is new pays for the look at
    /// all of it, and what nobody uses is never more than what was in use.
    pub fn tidy_when_due(&mut self) {
        if self.len() > FEW.max(2 * self.kept) {
            self.tidy();
        }
    }

    fn len(&self) -> usize {
        self.tables.len() + self.entries.len()
    }

    /// Lets go of what no organization uses any more.
    fn tidy(&mut self) {
        self.tables.retain(|table| Arc::strong_count(&table.0.0) > 1);
        self.entries.retain(|entry| Arc::strong_count(&entry.0) > 1);
        self.kept = self.len();
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
        assert!(matches!(one.find("plan"), Found::Configured(plan) if plan.locked));
        assert_eq!(
            ["plan ", "P-lan", "plans", ""].map(|name| one.find(name) == Found::NearMiss),
            [true, true, false, false]
        );
    }

    #[test]
    fn names_are_found_among_others_that_differ_in_case_and_punctuation_alone() {
        let names = [
            "user_name",
            "userName",
            "user name",
            "username",
            "Größe",
            "GRÖSSE",
            "größe",
            "a-long-name-of-many-letters",
        ];
        let table = table(&mut Pool::default(), &names.map(|name| (name, name == "userName")));
        for name in names {
            assert!(
                matches!(table.find(name), Found::Configured(found) if found.locked == (name == "userName")),
                "{name}"
            );
        }
        for near in ["USER.NAME", "g-r-ö-ß-e", "A long name of many letters"] {
            assert_eq!(table.find(near), Found::NearMiss, "{near}");
        }
        for far in ["user", "usernames", "a-long-name-of-many-letter", "alongnam", "größ"] {
            assert_eq!(table.find(far), Found::Nothing, "{far}");
        }
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

    #[test]
    fn a_pool_is_tidied_once_it_has_doubled_and_keeps_what_is_in_use() {
        let mut pool = Pool::default();
        let used: Vec<_> = (0..FEW).map(|number| table(&mut pool, &[(&format!("used{number}"), true)])).collect();
        pool.tidy_when_due();
        assert_eq!((pool.len(), pool.kept), (2 * FEW, 2 * FEW));
        for number in 0..FEW {
            table(&mut pool, &[(&format!("left{number}"), true)]);
            pool.tidy_when_due();
        }
        assert_eq!(pool.len(), 4 * FEW, "not yet");
        table(&mut pool, &[("one more", true)]);
        pool.tidy_when_due();
        assert_eq!(pool.len(), 2 * used.len());
    }
}
