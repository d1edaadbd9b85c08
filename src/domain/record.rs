//! A Kafka record as the stages see it: bytes, headers, time and position, borrowed from wherever they were read.

use super::{EventTime, Position};

/// A header of a record. Kafka allows a name more than once and a value that is null.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The header's name.
    pub name: &'a str,
    /// The header's bytes; `None` is Kafka's null.
    pub value: Option<&'a [u8]>,
}

/// One record from a topic or a file.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// Where the record stands.
    pub position: Position<'a>,
    /// The record's timestamp, absent where the broker or the file has none.
    pub timestamp: Option<EventTime>,
    /// The record's key. It takes no part in the judgement; a file of records keeps it.
    pub key: Option<&'a [u8]>,
    /// All headers, in their order.
    pub headers: &'a [Header<'a>],
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The line of a file, where it stands in for a part of the position that the record does not say.
    pub line: Option<i64>,
}

impl<'a> Record<'a> {
    /// The text of the last header of this name; a value that isn't UTF-8 counts as absent.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let last = self.headers.iter().rev().find(|header| header.name == name)?;
        std::str::from_utf8(last.value?).ok()
    }
}
