//! From a message to its records: the judgement and the encoding of one batch, with the memory that both use again and again.
//!
//! A panic in here is a bug. It is caught, so that the batch can be aborted in good order, and becomes a fault: the record
//! stays uncommitted and a person has to look. What the panic says could hold a value of the event; the fault
//! names the position alone.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use rdkafka::message::BorrowedMessage;

use super::{fault::Fault, judge, stats::Tally, transaction::Transaction};
use crate::{
    domain::{Arena, EventTime, Snapshot},
    emit::Encoder,
    source::kafka,
};

/// The judgement of a shard's batches, one batch at a time.
pub(super) struct Judging {
    arena: Arena,
    encoder: Encoder,
    tally: Tally,
    settings: Arc<Snapshot>,
    now: EventTime,
}

impl Judging {
    pub(super) fn new(encoder: Encoder) -> Self {
        let (arena, tally, settings) = (Arena::new(), Tally::new(), Arc::default());
        Self { arena, encoder, tally, settings, now: EventTime::default() }
    }

    /// Begins a batch: everything in it is judged by these settings.
    pub(super) fn begin(&mut self, settings: Arc<Snapshot>) {
        self.now = EventTime::from_millis(jiff::Timestamp::now().as_millisecond());
        self.settings = settings;
        self.tally.clear();
    }

    /// Judges one record and sends its verdict.
    pub(super) fn judge(&mut self, message: &BorrowedMessage<'_>, transaction: &Transaction<'_>) -> Result<(), Fault> {
        self.arena.reset();
        let (arena, encoder, settings, now) = (&self.arena, &mut self.encoder, &self.settings, self.now);
        let record = kafka::record(message, arena);
        let judged = caught(move || encoder.encode(&judge(arena, &record, settings, now), &record));
        let encoded = match judged {
            Ok(Ok(encoded)) => encoded,
            Ok(Err(_)) => return Err(Fault::Unencodable { position: record.position.to_string() }),
            Err(_) => return Err(Fault::Panicked { position: record.position.to_string() }),
        };
        for output in encoded.outputs() {
            transaction.send(&output)?;
        }
        self.tally.count(encoded.outcome, encoded.reason, record.value.map_or(0, <[u8]>::len));
        Ok(())
    }

    /// The counts of the batch so far.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }
}

/// Arena and encoder are whole after a panic too: the one is only ever reset, the other's buffers are cleared before use.
fn caught<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    catch_unwind(AssertUnwindSafe(work))
}
