//! Organizations by a name of theirs. The table is in parts, each shared with the snapshots before it until it changes: of a
//! hundred thousand organizations one that changes costs a few hundred pointers, to make and to give back.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault},
    sync::Arc,
};

use rustc_hash::FxHasher;

use super::Organization;

/// What is in a table is what an operator configured; a sender's names are looked up and never put in, so that a quick hash
/// without a key gives nobody a way to crowd it.
type Part = HashMap<Box<str>, Arc<Organization>, BuildHasherDefault<FxHasher>>;

/// How many parts there are: as many as make copying one of them cheap, and no more than make copying their list so.
const PARTS: usize = 256;

/// Organizations by one of their names.
#[derive(Debug, Clone)]
pub(super) struct Index(Vec<Arc<Part>>);

impl Default for Index {
    fn default() -> Self {
        Self(vec![Arc::default(); PARTS])
    }
}

impl Index {
    pub(super) fn get(&self, name: &str) -> Option<&Organization> {
        self.0.get(part_of(name))?.get(name).map(AsRef::as_ref)
    }

    /// Puts an organization under this name.
    pub(super) fn put(&mut self, name: &str, organization: &Arc<Organization>) {
        if let Some(part) = self.0.get_mut(part_of(name)) {
            Arc::make_mut(part).insert(name.into(), Arc::clone(organization));
        }
    }

    /// Takes out what this name means, if it means this organization.
    pub(super) fn take(&mut self, name: &str, organization: &Arc<Organization>) {
        let Some(part) = self.0.get_mut(part_of(name)) else { return };
        if part.get(name).is_some_and(|found| Arc::ptr_eq(found, organization)) {
            Arc::make_mut(part).remove(name);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Organization> {
        self.0.iter().flat_map(|part| part.values().map(AsRef::as_ref))
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|part| part.len()).sum()
    }
}

/// Bits that the part's own table doesn't look at first.
fn part_of(name: &str) -> usize {
    let hash = BuildHasherDefault::<FxHasher>::default().hash_one(name);
    usize::try_from(hash >> 32).unwrap_or_default() % PARTS
}
