//! The work of a replay that goes nowhere or into a file: each event judged, counted, and its verdict written, one a line.

use crate::{
    domain::{Arena, Record},
    replay::{Failure, Judgement, Tally, Work},
};

/// Judges, counts and writes.
#[derive(Clone)]
pub(super) struct Verdicts {
    /// What judges.
    pub(super) judgement: Judgement,
    /// Whether verdicts are written.
    pub(super) written: bool,
    /// What was found.
    pub(super) tally: Tally,
}

impl Work for Verdicts {
    fn record<'a>(&mut self, record: &Record<'a>, arena: &'a Arena, out: &mut Vec<u8>) -> Result<(), Failure> {
        let Some(verdict) = self.judgement.judge(record, arena, &mut self.tally) else { return Ok(()) };
        if self.written {
            let unencodable = |_| Failure::Unencodable { position: record.position.to_string() };
            serde_json::to_writer(&mut *out, &verdict).map_err(unencodable)?;
            out.push(b'\n');
        }
        Ok(())
    }

    fn add(&mut self, other: Self) {
        self.tally.add(other.tally);
    }
}
