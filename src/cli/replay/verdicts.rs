//! The work of a replay: each event judged, counted, and its verdict written, one a line.

use std::sync::Arc;

use super::tally::Tally;
use crate::{
    domain::{Arena, EventTime, Record, Snapshot},
    replay::{Failure, Filter, Work},
    worker::judge,
};

/// Judges, counts and writes.
#[derive(Clone)]
pub(super) struct Verdicts {
    /// The settings that judge.
    pub(super) snapshot: Arc<Snapshot>,
    /// The time of a record without one.
    pub(super) now: EventTime,
    /// Which events.
    pub(super) filter: Filter,
    /// Whether verdicts are written.
    pub(super) written: bool,
    /// What was found.
    pub(super) tally: Tally,
}

impl Work for Verdicts {
    fn record<'a>(&mut self, record: &Record<'a>, arena: &'a Arena, out: &mut Vec<u8>) -> Result<(), Failure> {
        let verdict = judge(arena, record, &self.snapshot, self.now);
        if !self.filter.takes(&verdict) {
            return Ok(());
        }
        self.tally.count(&verdict);
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
