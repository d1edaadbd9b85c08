//! The one event that is explained: a whole file, on as many lines as it likes, or one line of many.

use std::io::Read;

use anyhow::{Context, bail};
use serde::de::IgnoredAny;

use crate::{
    cli::{input::Input, output::Usage},
    domain::Policy,
    source::file::{self, Batch, Reader},
};

/// The line of this number.
pub(super) fn line(input: Input, policy: &Policy, number: i64) -> anyhow::Result<Vec<u8>> {
    let (name, mut reader, mut batch) = (input.name, Reader::new(input.reader, policy), Batch::default());
    while reader.fill(&mut batch).with_context(|| format!("{name} cannot be read"))? {
        if let Some(line) = batch.lines().find(|line| line.number == number) {
            return Ok(line.bytes().to_vec());
        }
    }
    bail!("{name} has no record on line {number}");
}

/// All of it, as long as it is one event.
pub(super) fn whole(input: Input, policy: &Policy) -> anyhow::Result<Vec<u8>> {
    let Input { name, reader, .. } = input;
    let mut text = Vec::new();
    let read = reader.take(file::longest_line(policy) as u64).read_to_end(&mut text);
    read.with_context(|| format!("{name} cannot be read"))?;
    let event = file::without_mark(&text).trim_ascii();
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
    Ok(event.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &'static [u8]) -> Input {
        Input { name: "event.json".to_owned(), bytes: None, reader: Box::new(text) }
    }

    fn whole_of(text: &'static [u8]) -> Result<Vec<u8>, String> {
        whole(input(text), &Policy::default()).map_err(|error| error.to_string())
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
        let of = |number| line(input(b"{}\n\n[]\n"), &Policy::default(), number).map_err(|error| error.to_string());
        assert_eq!(of(3), Ok(b"[]".to_vec()));
        assert_eq!(of(2).unwrap_err(), "event.json has no record on line 2");
        assert!(of(4).is_err());
    }
}
