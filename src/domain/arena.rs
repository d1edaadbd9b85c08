//! The memory of one judgement. Decoded values, claims and verdict live side by side in one bump arena and are dropped
//! together by [`Arena::reset`]: no reference counts, no copies between stages, and after the first records no malloc.

use std::cell::Cell;

use bumpalo::Bump;

/// The most that is kept from one record to the next. An event of a megabyte takes twenty times as much where it is one list of
/// numbers, and each shard would hold that for good.
const KEPT_BYTES: usize = 4 << 20;

/// Memory for one judgement at a time. A worker keeps one for each thread and resets it once the verdict is encoded.
#[derive(Debug, Default)]
pub struct Arena {
    memory: Bump,
    nul: Cell<bool>,
}

/// A `Vec` whose memory is the arena's.
pub type ArenaVec<'a, T> = bumpalo::collections::Vec<'a, T>;

impl Arena {
    /// An empty arena; its first chunk is taken by the first judgement.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything that was judged in it and keeps the largest chunk for the next record, unless that is out of the ordinary.
    pub fn reset(&mut self) {
        self.nul.set(false);
        self.memory.reset();
        if self.memory.allocated_bytes() > KEPT_BYTES {
            self.memory = Bump::new();
        }
    }

    /// Keeps in mind that a JSON text of this judgement has U+0000.
    pub(crate) fn note_nul(&self) {
        self.nul.set(true);
    }

    /// Whether a JSON text of this judgement has U+0000, which only an escape can spell (RFC 8259 §7): hardly any has, and nothing that
    /// was read from one has to be searched for it then.
    pub(crate) fn noted_nul(&self) -> bool {
        self.nul.get()
    }

    /// An empty list that grows in the arena.
    #[must_use]
    pub fn list<T>(&self) -> ArenaVec<'_, T> {
        ArenaVec::new_in(&self.memory)
    }

    /// An empty list with room for `capacity` items.
    #[must_use]
    pub fn list_with<T>(&self, capacity: usize) -> ArenaVec<'_, T> {
        ArenaVec::with_capacity_in(capacity, &self.memory)
    }

    /// An empty text that grows in the arena.
    #[must_use]
    pub fn string(&self) -> bumpalo::collections::String<'_> {
        bumpalo::collections::String::new_in(&self.memory)
    }

    /// A text copied into the arena.
    pub fn text(&self, text: &str) -> &str {
        self.memory.alloc_str(text)
    }

    /// A text built from its parts, without an allocation elsewhere.
    pub fn format(&self, parts: std::fmt::Arguments<'_>) -> &str {
        let mut text = self.string();
        // Writing into memory fails only where a Display lies about itself; what it wrote until then stands.
        let _ = std::fmt::Write::write_fmt(&mut text, parts);
        text.into_bump_str()
    }

    /// Zeroed bytes to decode into.
    pub fn bytes(&self, len: usize) -> &mut [u8] {
        self.memory.alloc_slice_fill_copy(len, 0)
    }

    /// A copy of `items` in the arena.
    pub fn slice<T: Copy>(&self, items: &[T]) -> &[T] {
        self.memory.alloc_slice_copy(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_out_of_the_ordinary_is_given_back_and_the_usual_is_kept() {
        let mut arena = Arena::new();
        arena.bytes(100_000);
        arena.reset();
        let usual = arena.memory.allocated_bytes();
        assert!(usual >= 100_000, "{usual}");
        arena.bytes(2 * KEPT_BYTES);
        arena.reset();
        assert!(arena.memory.allocated_bytes() < usual);
    }
}
