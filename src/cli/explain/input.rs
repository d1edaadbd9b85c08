//! The one event that is explained: a whole file, on as many lines as it likes, or one line of many.

use std::io::{BufReader, Read};

use anyhow::{Context, bail};
use serde::de::IgnoredAny;

use crate::{
    cli::{input::Input, output::Usage},
    domain::Policy,
    source::file::{self, Batch, Reader},
};

/// The event, as far as it was kept: what is longer than any record that is accepted is counted and not kept.
#[derive(Debug, PartialEq)]
pub(super) struct Kept {
    /// The bytes that were kept.
    pub(super) text: Vec<u8>,
    /// How many more there were.
    pub(super) skipped: usize,
}

/// The line of this number.
pub(super) fn line(input: Input, policy: &Policy, number: i64) -> anyhow::Result<Kept> {
    let (name, mut reader, mut batch) = (input.name, Reader::new(input.reader, policy), Batch::default());
    while reader.fill(&mut batch).with_context(|| format!("{name} cannot be read"))? {
        if let Some(line) = batch.lines().find(|line| line.number == number) {
            return Ok(Kept { text: line.bytes().to_vec(), skipped: line.skipped() });
        }
    }
    bail!("{name} has no record on line {number}");
}

/// All of it, as long as it is one event.
pub(super) fn whole(input: Input, policy: &Policy) -> anyhow::Result<Kept> {
    let Input { name, reader, .. } = input;
    let (mut reader, mut text) = (BufReader::new(reader), Vec::new());
    let unreadable = || format!("{name} cannot be read");
    (&mut reader).take(file::longest_line(policy) as u64).read_to_end(&mut text).with_context(unreadable)?;
    let event = file::without_mark(&text).trim_ascii_start();
    if event.is_empty() {
        bail!("{name} is empty; an event or a record of kcat's (-J) is expected");
    }
    let complete = |text: &[u8]| serde_json::from_slice::<IgnoredAny>(text).is_ok();
    let mut lines = event.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    // What is neither one document nor several is one broken event: its verdict says where it breaks.
    if !complete(event) && lines.next().is_some_and(complete) {
        let wrong =
            format!("{name} holds several records; pick one with --line, or judge them all with attrsync replay");
        return Err(Usage::new(wrong).into());
    }
    // Last: what is several records may be a stream that doesn't end.
    let skipped = file::count_rest(&mut reader).with_context(unreadable)?;
    // Blanks at the end are the file's, and before what was skipped they are the event's own.
    let event = if skipped == 0 { event.trim_ascii_end() } else { event };
    Ok(Kept { text: event.to_vec(), skipped })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &'static [u8]) -> Input {
        Input { name: "event.json".to_owned(), bytes: None, reader: Box::new(text) }
    }

    fn kept(kept: anyhow::Result<Kept>) -> Result<Vec<u8>, String> {
        kept.map(|kept| kept.text).map_err(|error| error.to_string())
    }

    fn whole_of(text: &'static [u8]) -> Result<Vec<u8>, String> {
        kept(whole(input(text), &Policy::default()))
    }

    #[test]
    fn an_event_may_stand_on_many_lines() {
        assert_eq!(whole_of(b"\xef\xbb\xbf{\n  \"type\": \"boot\"\n}\n").unwrap(), b"{\n  \"type\": \"boot\"\n}");
        assert_eq!(whole_of(b"{\"type\":\r\n").unwrap(), b"{\"type\":");
        assert_eq!(whole_of(b"not\nJSON").unwrap(), b"not\nJSON");
    }

    #[test]
    fn several_records_are_told_from_one() {
        let error = whole_of(b"{}\n{}\n\n{\"half\":").unwrap_err();
        assert!(error.contains("event.json holds several records; pick one with --line"), "{error}");
        assert!(whole_of(b" \n").unwrap_err().contains("is empty"));
    }

    #[test]
    fn a_line_is_found_by_its_number() {
        let of = |number| kept(line(input(b"{}\n\n[]\n"), &Policy::default(), number));
        assert_eq!(of(3), Ok(b"[]".to_vec()));
        assert_eq!(of(2).unwrap_err(), "event.json has no record on line 2");
        assert!(of(4).is_err());
    }
}
