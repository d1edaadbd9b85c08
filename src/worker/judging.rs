//! From a message to its records: the judgement and the encoding of one batch, with the memory that both use again and again.
//!
//! A panic in here is a bug. It is caught, so that the batch can be aborted in good order, and becomes a fault: the record
//! stays uncommitted and a person has to look. What the panic says could hold a value of the event; the fault
//! names the position alone.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use rdkafka::message::{BorrowedMessage, Message as _};

use super::{fault::Fault, judge, stats::Tally, traces::Traces, transaction::Transaction};
use crate::{
    domain::{Arena, EventTime, Reason, Snapshot},
    emit::Encoder,
    source::kafka,
    store::Settings,
};

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// Its verdict is sent.
    Sent,
    /// It belongs into the next batch: its organization may be in settings that came while this one was open.
    Next,
    /// It waits until its organization's settings can be used.
    Waits,
}

/// What of the settings the judgement itself doesn't know.
pub(super) struct Organizations {
    /// Where snapshots come from.
    pub(super) settings: Arc<Settings>,
    /// Whether events of organizations whose settings can't be used wait.
    pub(super) unusable_wait: bool,
}

/// The judgement of a shard's batches, one batch at a time.
pub(super) struct Judging {
    arena: Arena,
    encoder: Encoder,
    tally: Tally,
    organizations: Organizations,
    snapshot: Arc<Snapshot>,
    now: EventTime,
    /// The record for which settings were looked at last: once each.
    looked_for: Option<(String, i32, i64)>,
    /// Where spans are exported.
    traces: Option<Traces>,
}

/// What the judgement of a record came to.
enum Step<T> {
    Verdict(T),
    Unknown,
    Unusable,
}

impl Judging {
    pub(super) fn new(encoder: Encoder, organizations: Organizations, traces: Option<Traces>) -> Self {
        let (arena, tally, snapshot) = (Arena::new(), Tally::new(), Arc::default());
        Self { arena, encoder, tally, organizations, snapshot, now: EventTime::default(), looked_for: None, traces }
    }

    /// Begins a batch: everything in it is judged by the settings as they are now.
    pub(super) fn begin(&mut self) {
        self.now = EventTime::from_millis(jiff::Timestamp::now().as_millisecond());
        self.snapshot = self.organizations.settings.current();
        self.tally.clear();
        if let Some(traces) = &mut self.traces {
            traces.clear();
        }
    }

    /// Judges one record and sends its verdict, or says when it is to be judged.
    pub(super) fn judge(
        &mut self,
        message: &BorrowedMessage<'_>,
        transaction: &Transaction<'_>,
    ) -> Result<Judged, Fault> {
        self.arena.reset();
        let (arena, encoder, snapshot, now) = (&self.arena, &mut self.encoder, &self.snapshot, self.now);
        let record = kafka::record(message, arena);
        let span = self.traces.as_mut().and_then(|traces| traces.begin(&record));
        let looked_for = |(topic, partition, offset): &(String, i32, i64)| {
            (topic.as_str(), *partition, *offset) == (message.topic(), message.partition(), message.offset())
        };
        let look = !self.looked_for.as_ref().is_some_and(looked_for);
        let wait = self.organizations.unusable_wait;
        let judged = caught(move || {
            let verdict = judge(arena, &record, snapshot, now);
            match verdict.reason {
                Some(Reason::UnknownOrganization) if look => Ok(Step::Unknown),
                Some(Reason::SettingsUnusable) if wait => Ok(Step::Unusable),
                _ => encoder.encode_within(span.map(|span| span.id), &verdict, &record).map(Step::Verdict),
            }
        });
        let encoded = match judged {
            Ok(Ok(Step::Verdict(encoded))) => encoded,
            Ok(Ok(Step::Unknown)) => return self.look_again(message, transaction),
            Ok(Ok(Step::Unusable)) => return Ok(Judged::Waits),
            Ok(Err(_)) => return Err(Fault::Unencodable { position: record.position.to_string() }),
            Err(_) => return Err(Fault::Panicked { position: record.position.to_string() }),
        };
        for output in encoded.outputs() {
            transaction.send(&output)?;
            self.tally.emitted(output.channel, output.value.len());
        }
        let (outcome, reason) = (encoded.outcome, encoded.reason);
        self.tally.count(outcome, reason, record.value.map_or(0, <[u8]>::len));
        if let (Some(traces), Some(span)) = (&mut self.traces, span) {
            traces.end(span, record.position, (outcome, reason));
        }
        Ok(Judged::Sent)
    }

    /// Has the settings looked at for a record whose organization isn't in them. Newer ones judge it in the next batch: this
    /// one is judged by one snapshot.
    fn look_again(&mut self, message: &BorrowedMessage<'_>, transaction: &Transaction<'_>) -> Result<Judged, Fault> {
        self.looked_for = Some((message.topic().to_owned(), message.partition(), message.offset()));
        if self.organizations.settings.look_again(&self.snapshot).is_some() {
            return Ok(Judged::Next);
        }
        self.judge(message, transaction)
    }

    /// The batch is committed: its spans may be told.
    pub(super) fn committed(&mut self) {
        if let Some(traces) = &mut self.traces {
            traces.committed();
        }
    }

    /// The version of the settings that the batch is judged by.
    pub(super) fn version(&self) -> u64 {
        self.snapshot.version()
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
