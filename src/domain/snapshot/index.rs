//! Organizations by a name of theirs. The table is in parts, each shared with the snapshots before it until it changes: of a
//! hundred thousand organizations one that changes costs a few hundred pointers, to make and to give back.
//!
//! A name is kept in its organization alone: beside it, it would be one more place in memory to wait for.

use std::{
    hash::{BuildHasher, BuildHasherDefault},
    sync::Arc,
};

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::Organization;

/// What is in a table is what an operator configured; a sender's names are looked up and never put in, so that a quick hash
/// without a key gives nobody a way to crowd it.
type Part = HashTable<Arc<Organization>>;

/// The name of an organization that an index is by.
type Name = fn(&Organization) -> Option<&str>;

/// How many parts there are: as many as make copying one of them cheap, and no more than make copying their list so.
const PARTS: usize = 256;

/// Organizations by one of their names.
#[derive(Debug, Clone)]
pub(super) struct Index {
    name: Name,
    parts: Vec<Arc<Part>>,
}

impl Index {
    /// An index by this name.
    pub(super) fn by(name: Name) -> Self {
        Self { name, parts: vec![Arc::default(); PARTS] }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Organization> {
        let hash = hash(name);
        self.parts.get(part_of(hash))?.find(hash, |known| (self.name)(known) == Some(name)).map(AsRef::as_ref)
    }

    /// Puts an organization under its name, in the place of one that has it already.
    pub(super) fn put(&mut self, organization: &Arc<Organization>) {
        let Some((name, hash)) = self.hashed(organization) else { return };
        let by = self.name;
        let Some(part) = self.parts.get_mut(part_of(hash)) else { return };
        let again = |known: &Arc<Organization>| by(known).map_or(0, self::hash);
        Arc::make_mut(part).entry(hash, |known| by(known) == Some(name), again).insert(Arc::clone(organization));
    }

    /// Takes out what its name means, if it means this organization.
    pub(super) fn take(&mut self, organization: &Arc<Organization>) {
        let Some((_, hash)) = self.hashed(organization) else { return };
        let Some(part) = self.parts.get_mut(part_of(hash)) else { return };
        if part.find(hash, |known| Arc::ptr_eq(known, organization)).is_some()
            && let Ok(found) = Arc::make_mut(part).find_entry(hash, |known| Arc::ptr_eq(known, organization))
        {
            found.remove();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Organization> {
        self.parts.iter().flat_map(|part| part.iter().map(AsRef::as_ref))
    }

    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    fn hashed<'o>(&self, organization: &'o Organization) -> Option<(&'o str, u64)> {
        (self.name)(organization).map(|name| (name, hash(name)))
    }
}

fn hash(name: &str) -> u64 {
    BuildHasherDefault::<FxHasher>::default().hash_one(name)
}

/// By bits that the part's own table doesn't look at first.
fn part_of(hash: u64) -> usize {
    usize::try_from(hash >> 32).unwrap_or_default() % PARTS
}
