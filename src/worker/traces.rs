//! The spans of one shard: begun where a sender records its trace, kept until the batch is committed, and then handed to whoever
//! exports them. A batch that is aborted leaves none. Nothing of this runs where export is off.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use crate::{
    domain::{Position, Reason, Record, random::Random, verdict::Outcome},
    emit::trace::{Parent, SpanId},
    observe::telemetry::{Span, Spans, now},
};

/// The spans of the batch in hand.
pub(super) struct Traces {
    out: Arc<Spans>,
    batch: Vec<Span>,
    /// Where ids come from: nobody has to be unable to guess them, only to have the same.
    ids: Random,
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
        Self { out, batch: Vec::new(), ids: Random::new(RandomState::new().build_hasher().finish()) }
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

    /// A new id; zero is none.
    fn id(&mut self) -> SpanId {
        self.ids.next_number().max(1).to_be_bytes()
    }
}
