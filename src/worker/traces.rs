//! The spans of one shard: begun where a sender records its trace, kept until the batch is committed, and then handed to whoever
//! exports them. A batch that is aborted leaves none. Nothing of this runs where export is off.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use crate::{
    domain::{Position, Reason, Record, verdict::Outcome},
    emit::trace::{Parent, SpanId},
    observe::telemetry::{Span, Spans},
};

/// The spans of the batch in hand.
pub(super) struct Traces {
    out: Arc<Spans>,
    batch: Vec<Span>,
    /// The state that ids come from: nobody has to be unable to guess them, only to have the same.
    state: u64,
}

/// A span that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    parent: Parent,
    pub(super) id: SpanId,
    at: u64,
}

impl Traces {
    pub(super) fn new(out: Arc<Spans>) -> Self {
        Self { out, batch: Vec::new(), state: RandomState::new().build_hasher().finish() }
    }

    /// The span of this record, where its sender wants one.
    pub(super) fn begin(&mut self, record: &Record<'_>) -> Option<Begun> {
        let parent = Parent::sampled(record)?;
        Some(Begun { parent, id: self.id(), at: now() })
    }

    /// The span ends with what became of its record.
    pub(super) fn end(&mut self, span: Begun, position: Position<'_>, told: (Outcome, Option<Reason>)) {
        let Begun { parent, id, at } = span;
        self.batch.push(Span {
            trace: parent.trace,
            parent: parent.span,
            id,
            begun: at,
            ended: now(),
            topic: position.topic.to_owned(),
            partition: position.partition.0,
            offset: position.offset.0,
            outcome: told.0,
            reason: told.1,
        });
    }

    /// A batch begins; what the one before left was of an aborted one.
    pub(super) fn clear(&mut self) {
        self.batch.clear();
    }

    /// The batch is committed.
    pub(super) fn committed(&mut self) {
        self.out.offer(&mut self.batch);
    }

    /// splitmix64, which passes through every number before it repeats one; zero is no id.
    fn id(&mut self) -> SpanId {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        mixed.max(1).to_be_bytes()
    }
}

/// Now, in nanoseconds since 1970.
fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or_default()
}
