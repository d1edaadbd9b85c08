//! Records from a file or a pipe, one a line: what `kcat -J` prints, or the event alone.
//!
//! Lines are read in batches, so that several threads can judge while one reads, and memory is bounded whatever the input
//! is: a batch ends where the reader's buffer does (a pipe's verdicts don't wait for its next lines), and what exceeds the
//! longest line is counted, not kept. Every line that isn't blank is exactly one record, however broken it is.

mod line;
mod rest;

use std::{
    io::{self, BufRead, BufReader, Read},
    ops::Range,
};

pub use self::rest::of_input as count_rest;
use crate::domain::{Arena, Policy, Record};

/// What one look at the operating system reads; about what a batch holds.
const BUFFER_BYTES: usize = 256 * 1024;
/// Room in a line for everything that is not the value.
const ENVELOPE_BYTES: usize = 64 * 1024;
/// The most bytes that JSON may need to write one byte of the value (`\u0000`).
const ESCAPED: usize = 6;
/// What some editors write at the beginning of a file; it belongs to the file and not to its first event.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The most bytes of a line that is worth reading: no record that this policy accepts needs more.
#[must_use]
pub fn longest_line(policy: &Policy) -> usize {
    policy.limits.record_bytes.saturating_mul(ESCAPED).saturating_add(ENVELOPE_BYTES)
}

/// The text of a file without the byte-order mark that some editors put before it.
#[must_use]
pub fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Reads lines.
pub struct Reader<R> {
    input: BufReader<R>,
    longest: usize,
    line: i64,
}

/// Some lines, in their order.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    lines: Vec<Place>,
}

/// Where a line is.
struct Place {
    /// In the bytes of its batch.
    kept: Range<usize>,
    /// How many more bytes it had, which were not kept.
    skipped: usize,
    /// In the file.
    number: i64,
}

/// One line: its number, from 1, and its bytes, as far as they were kept.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// The number.
    pub number: i64,
    bytes: &'a [u8],
    skipped: usize,
}

impl<R: Read> Reader<R> {
    /// A reader of records under this policy. A line that is longer than any record the policy accepts is cut there, which
    /// is past the limit still: it gets its verdict and no more memory.
    #[must_use]
    pub fn new(input: R, policy: &Policy) -> Self {
        Self { input: BufReader::with_capacity(BUFFER_BYTES, input), longest: longest_line(policy), line: 0 }
    }

    /// Reads the next lines in place of those in `batch`; false at the end of the input.
    ///
    /// # Errors
    /// The input's own.
    pub fn fill(&mut self, batch: &mut Batch) -> io::Result<bool> {
        batch.bytes.clear();
        batch.lines.clear();
        loop {
            let at_end = !self.read_line(batch)?;
            let runs_dry = !self.input.buffer().contains(&b'\n');
            if at_end || batch.bytes.len() >= BUFFER_BYTES || (runs_dry && !batch.lines.is_empty()) {
                return Ok(!batch.lines.is_empty());
            }
        }
    }

    /// Reads one line, and keeps it unless it is blank; false at the end of the input.
    fn read_line(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let start = batch.bytes.len();
        let read = (&mut self.input).take(self.longest as u64).read_until(b'\n', &mut batch.bytes)?;
        if read == 0 {
            return Ok(false);
        }
        self.line += 1;
        let mut skipped = 0;
        if batch.bytes.ends_with(b"\n") {
            batch.bytes.pop();
        } else if read == self.longest {
            skipped = rest::of_line(&mut self.input)?;
        }
        if skipped == 0 && batch.bytes[start..].ends_with(b"\r") {
            batch.bytes.pop();
        }
        if self.line == 1 && batch.bytes.starts_with(BYTE_ORDER_MARK) {
            batch.bytes.drain(..BYTE_ORDER_MARK.len());
        }
        if batch.bytes[start..].trim_ascii().is_empty() {
            batch.bytes.truncate(start);
        } else {
            batch.lines.push(Place { kept: start..batch.bytes.len(), skipped, number: self.line });
        }
        Ok(true)
    }
}

impl Batch {
    /// How many bytes all lines had, their ends not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.lines.iter().map(|place| place.skipped).sum::<usize>()
    }

    /// The lines in their order.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = Line<'_>> {
        self.lines.iter().map(|Place { kept, skipped, number }| Line {
            number: *number,
            bytes: &self.bytes[kept.clone()],
            skipped: *skipped,
        })
    }
}

impl<'a> Line<'a> {
    /// A line from elsewhere.
    #[must_use]
    pub fn new(number: i64, bytes: &'a [u8]) -> Self {
        Self { number, bytes, skipped: 0 }
    }

    /// The bytes, as far as they were kept.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many more there were: none of a line that some record needs.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// The record that the line is. `name` stands for the topic of an event that comes without one, the line's number for
    /// its offset.
    #[must_use]
    pub fn record(self, name: &'a str, arena: &'a Arena) -> Record<'a> {
        line::record(self.bytes, line::Stated { name, line: self.number }, arena)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventTime, Limits};

    fn policy(record_bytes: usize) -> Policy {
        Policy { limits: Limits { record_bytes, ..Limits::default() }, ..Policy::default() }
    }

    /// Hands out one piece at each read, as a pipe does.
    struct Pieces<'p>(std::slice::Iter<'p, &'p [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let Some(piece) = self.0.next() else { return Ok(0) };
            into[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    fn read_all(input: impl Read, policy: &Policy) -> Vec<(i64, Vec<u8>)> {
        let (mut reader, mut batch, mut all) = (Reader::new(input, policy), Batch::default(), Vec::new());
        while reader.fill(&mut batch).unwrap() {
            all.extend(batch.lines().map(|line| (line.number, line.bytes.to_vec())));
        }
        all
    }

    #[test]
    fn every_line_that_is_not_blank_is_read_with_its_number() {
        let input = b"\xef\xbb\xbfone\r\n\n  \t\ntwo \n\xff\xfe\nlast";
        let lines = read_all(&input[..], &Policy::default());
        let expected: [(i64, &[u8]); 4] = [(1, b"one"), (4, b"two "), (5, b"\xff\xfe"), (6, b"last")];
        assert_eq!(lines, expected.map(|(number, line)| (number, line.to_vec())));
        assert_eq!(read_all(&b""[..], &Policy::default()), []);
        assert_eq!(read_all(&b"\n\r\n"[..], &Policy::default()), []);
    }

    #[test]
    fn a_line_in_pieces_is_one_line_and_a_whole_line_does_not_wait_for_the_next() {
        let pieces: [&[u8]; 4] = [b"one\ntw", b"o\n", b"three", b" and more\nfour\n"];
        let (mut reader, mut batch) = (Reader::new(Pieces(pieces.iter()), &Policy::default()), Batch::default());
        let mut batches = Vec::new();
        while reader.fill(&mut batch).unwrap() {
            batches.push(batch.lines().map(|line| String::from_utf8(line.bytes.to_vec()).unwrap()).collect::<Vec<_>>());
        }
        assert_eq!(batches, [vec!["one"], vec!["two"], vec!["three and more", "four"]]);
    }

    #[test]
    fn a_line_past_every_limit_is_cut_and_stays_one_record() {
        let policy = policy(100);
        let longest = 600 + ENVELOPE_BYTES;
        let mut input = vec![b'x'; 3 * longest];
        input.extend(b"\nnext\n");
        let lines = read_all(&input[..], &policy);
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].0, lines[0].1.len()), (1, longest));
        assert_eq!(lines[1], (2, b"next".to_vec()));
    }

    #[test]
    fn what_is_cut_from_a_line_is_counted() {
        let policy = policy(100);
        let longest = longest_line(&policy);
        for (more, end) in
            [(0, "\n"), (0, "\r\n"), (1, ""), (1, "\r\n"), (2 * BUFFER_BYTES, "\n"), (2 * BUFFER_BYTES, "")]
        {
            let input = "x".repeat(longest + more) + end;
            let (mut reader, mut batch) = (Reader::new(input.as_bytes(), &policy), Batch::default());
            assert!(reader.fill(&mut batch).unwrap());
            let found: Vec<_> = batch.lines().map(|line| (line.bytes.len(), line.skipped())).collect();
            assert_eq!((found, batch.bytes()), (vec![(longest, more)], longest + more), "{more} {end:?}");
        }
    }

    #[test]
    fn a_long_file_comes_in_batches_of_bounded_size() {
        let line = format!("{}\n", "y".repeat(999));
        let input = line.repeat(5000);
        let (mut reader, mut batch) = (Reader::new(input.as_bytes(), &Policy::default()), Batch::default());
        let mut count = 0;
        while reader.fill(&mut batch).unwrap() {
            assert!(batch.bytes.len() <= BUFFER_BYTES + line.len());
            count += batch.lines().len();
        }
        assert_eq!(count, 5000);
    }

    #[test]
    fn a_record_borrows_from_its_batch() {
        let input =
            "{\"type\":\"boot\"}\n{\"topic\":\"events\",\"partition\":3,\"offset\":9,\"ts\":5,\"payload\":\"{}\"}\n";
        let (mut reader, mut batch) = (Reader::new(input.as_bytes(), &Policy::default()), Batch::default());
        assert!(reader.fill(&mut batch).unwrap());
        let arena = Arena::new();
        let positions: Vec<_> = batch
            .lines()
            .map(|line| line.record("events.ndjson", &arena))
            .map(|r| (r.position.to_string(), r.timestamp))
            .collect();
        let expected =
            [("events.ndjson/0/1".to_owned(), None), ("events/3/9".to_owned(), Some(EventTime::from_millis(5)))];
        assert_eq!(positions, expected);
    }
}
