//! A replay into topics, exactly once: verdicts, and how far the replay is, in one transaction.
//!
//! Each partition of the input is delivered by itself. Its transactional id and the group that keeps its position are the
//! replay's own, made of its id; no worker's is touched. Whoever begins a partition ends whatever a predecessor of that id left open
//! (`init_transactions`), asks the group how far it is, and goes on from there. So a new try after a fault, a resumed replay after
//! SIGKILL, and a replay that was started twice are one and the same thing, and each verdict is visible once.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rdkafka::{Offset as KafkaOffset, TopicPartitionList};

use super::{
    Chunk, Counter, Defaults, Failure, Fetching, Judgement, Plan, Tally,
    topic::{LOOKUP, RECORDS, Reading, Span, SpanReader},
};
use crate::{
    domain::Arena,
    emit::Encoder,
    source::kafka::Assigned,
    worker::{Fault, Options, Outbox, Transaction, Tries, millis},
};

/// A replay into topics.
pub struct Delivery<'d> {
    plan: &'d Plan,
    /// The worker's, with this replay's topics.
    options: &'d Options,
    fetching: &'d Fetching,
    judgement: &'d Judgement,
    defaults: Defaults,
    counter: &'d Counter,
    left: Mutex<VecDeque<Span>>,
}

/// What was delivered.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Verdicts.
    pub tally: Tally,
    /// Offsets that an earlier run of this replay had delivered, or this one without hearing that it had.
    pub before: u64,
    /// Offsets that were no longer kept when they were due.
    pub gone: u64,
    /// Bytes that came from the brokers.
    pub fetched_bytes: u64,
}

impl Delivered {
    fn add(&mut self, other: Self) {
        self.tally.add(other.tally);
        self.before += other.before;
        self.gone += other.gone;
        self.fetched_bytes += other.fetched_bytes;
    }
}

/// By what a replay is delivered.
pub struct Means<'d> {
    /// The worker's options, with this replay's topics.
    pub options: &'d Options,
    /// How records are fetched.
    pub fetching: &'d Fetching,
    /// What judges.
    pub judgement: &'d Judgement,
    /// What stands in for what records do not say.
    pub defaults: Defaults,
}

/// The group that keeps how far a replay is.
pub(super) fn group(options: &Options, id: &str) -> String {
    format!("{}-replay-{id}", options.group)
}

impl<'d> Delivery<'d> {
    /// A replay that was planned.
    #[must_use]
    pub fn new(plan: &'d Plan, means: Means<'d>, counter: &'d Counter) -> Self {
        let Means { options, fetching, judgement, defaults } = means;
        let left = Mutex::new(plan.spans.iter().map(Span::from).collect());
        Self { plan, options, fetching, judgement, defaults, counter, left }
    }

    /// Delivers what is left of it.
    ///
    /// # Errors
    /// The first failure of any thread. What was committed until then stays, and a resumed replay goes on after it.
    pub fn run(&self) -> Result<Delivered, Failure> {
        let threads = self.fetching.threads(self.plan.spans.len());
        thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.spans())).collect();
            let (mut delivered, mut failed) = (Delivered::default(), None);
            for thread in running {
                match thread.join().unwrap_or(Err(Failure::Panicked)) {
                    Ok(part) => delivered.add(part),
                    // A thread that was stopped because another one failed is no cause.
                    Err(Failure::Stopped) if failed.is_some() => {}
                    Err(failure) => failed = Some(failure),
                }
            }
            failed.map_or(Ok(delivered), Err)
        })
    }

    fn spans(&self) -> Result<Delivered, Failure> {
        let mut delivered = Delivered::default();
        while let Some(span) = self.next() {
            match self.span(&span, &mut delivered) {
                Ok(()) => {}
                Err(failure) => {
                    self.counter.stop();
                    return Err(failure);
                }
            }
        }
        Ok(delivered)
    }

    fn next(&self) -> Option<Span> {
        // Poisoned only by a panic of another thread, which ends the replay.
        self.left.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Delivers a span, again and again after faults that pass.
    fn span(&self, span: &Span, delivered: &mut Delivered) -> Result<(), Failure> {
        let mut tries = Tries::new(self.options.retry);
        let mut counted = 0;
        loop {
            let before = counted;
            let fault = match self.attempt(span, &mut counted, delivered) {
                Err(Failure::Fault(fault)) => fault,
                ended => return ended,
            };
            // Of two processes the later one goes on: to try again would take the replay back from it.
            if fault.is_fenced() {
                return Err(Failure::Rival { id: self.plan.id.clone() });
            }
            if counted > before {
                tries.begin_anew();
            }
            let Some(pause) = tries.next(&fault) else { return Err(Failure::Fault(fault)) };
            tracing::warn!(replay = self.plan.id, %fault, pause_ms = millis(pause), "trying again");
            self.pause(pause)?;
        }
    }

    fn pause(&self, pause: Duration) -> Result<(), Failure> {
        let begun = Instant::now();
        while begun.elapsed() < pause {
            if self.counter.stopped() {
                return Err(Failure::Stopped);
            }
            thread::park_timeout(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Delivers what the group hasn't committed of a span, of whose offsets so many are counted.
    fn attempt(&self, span: &Span, counted: &mut u64, delivered: &mut Delivered) -> Result<(), Failure> {
        let name = format!("{}-{}-{}", group(self.options, &self.plan.id), span.topic, span.partition);
        let id = format!(
            "{}-replay-{}-{}-{}",
            self.options.transactional_id_prefix, self.plan.id, span.topic, span.partition
        );
        let mut outbox = Outbox::new(self.options, id, name)?;
        // Before the position is asked for: a transaction that was left open would hold it back.
        outbox.open()?;
        let threads = self.fetching.threads(self.plan.spans.len());
        let mut reader = self.fetching.reader(&group(self.options, &self.plan.id), threads, Reading::of([span]))?;
        let lost = || Failure::Lost { id: self.plan.id.clone(), topic: span.topic.clone(), partition: span.partition };
        let left = span.clone().rest(position(reader.consumer(), span)?.ok_or_else(lost)?);
        let size = span.size();
        let before = (size - left.size()).saturating_sub(*counted);
        delivered.before += before;
        self.counter.add(Chunk { turn: None, records: 0, size: before });
        *counted += before;
        reader.begin(left)?;
        let source = Encoder::new(self.options.outputs.source.clone(), self.options.outputs.max_bytes);
        let (encoder, arena) = (source.of_replay(&self.plan.id), Arena::new());
        let mut batches = Batches { delivery: self, span, reader, encoder, arena, turn: None };
        while !batches.reader.is_done() {
            if self.counter.stopped() {
                return Err(Failure::Stopped);
            }
            batches.deliver(&mut outbox, delivered)?;
            *counted = size - batches.reader.left();
        }
        delivered.fetched_bytes += batches.reader.consumer().fetched_bytes();
        Ok(())
    }
}

/// How far the group is with a span.
pub(super) fn position(consumer: &Assigned, span: &Span) -> Result<Option<i64>, Failure> {
    let unknown = |source| Failure::LookUp { what: "the replay's position", topic: span.topic.clone(), source };
    let committed = consumer.committed(&span.topic, &[span.partition], LOOKUP).map_err(unknown)?;
    Ok(committed.first().and_then(|(_, offset)| *offset))
}

/// One partition on its way out.
struct Batches<'b> {
    delivery: &'b Delivery<'b>,
    span: &'b Span,
    reader: SpanReader,
    encoder: Encoder,
    arena: Arena,
    /// The turn of the next record, where the replay is held back.
    turn: Option<u64>,
}

impl Batches<'_> {
    /// One transaction: records until it is full or its time is up, their verdicts, and where the replay stands after them.
    fn deliver(&mut self, outbox: &mut Outbox, delivered: &mut Delivered) -> Result<(), Failure> {
        // However long that takes: not in the transaction, whose time would run out.
        let begun = Instant::now();
        self.wait(None);
        self.reader.rested(begun.elapsed());
        if self.delivery.counter.stopped() {
            return Err(Failure::Stopped);
        }
        let transaction = outbox.begin()?;
        let (batch, chunk) = match self.fill(&transaction) {
            Ok(filled) => filled,
            Err(Failure::Fault(fault)) => return Err(transaction.abort(fault).into()),
            Err(failure) => {
                transaction.discard()?;
                return Err(failure);
            }
        };
        if chunk.size == 0 && !self.reader.is_done() {
            return Ok(transaction.discard()?);
        }
        let begun = Instant::now();
        transaction.commit(self.reader.consumer(), &self.offsets()?)?;
        self.reader.rested(begun.elapsed());
        self.delivery.counter.add(chunk);
        delivered.add(batch);
        Ok(())
    }

    fn fill(&mut self, transaction: &Transaction<'_>) -> Result<(Delivered, Chunk), Failure> {
        let delivery = self.delivery;
        let Delivery { options, judgement, defaults, .. } = delivery;
        let (mut batch, mut chunk, begun) = (Delivered::default(), Chunk::default(), Instant::now());
        // Where each has its turn, one by one: that of the next may be far off.
        let most = if self.turn.is_some() { 1 } else { RECORDS };
        loop {
            let read = self.reader.read(&mut self.arena, most, &mut |record, arena| {
                let record = &defaults.apply(*record, arena);
                let Some(verdict) = judgement.judge(record, arena, &mut batch.tally) else { return Ok(()) };
                let unencodable = |_| Fault::Unencodable { position: record.position.to_string() };
                for output in self.encoder.encode(&verdict, record).map_err(unencodable)?.outputs() {
                    transaction.send(&output)?;
                }
                Ok(())
            })?;
            chunk.records += read.chunk.records;
            chunk.size += read.chunk.size;
            batch.gone += read.gone;
            if read.chunk.records > 0 {
                self.turn = None;
            }
            let left = options.commit_interval.saturating_sub(begun.elapsed());
            let full = chunk.records >= options.batch_records as u64 || left.is_zero();
            let full = full || delivery.counter.stopped();
            if full || self.reader.is_done() || !self.wait(Some(left)) {
                return Ok((batch, chunk));
            }
        }
    }

    /// Waits for the turn of the next record, unless that takes longer than this; whether it has come.
    fn wait(&mut self, most: Option<Duration>) -> bool {
        let counter = self.delivery.counter;
        self.turn = self.turn.or_else(|| counter.turn());
        self.turn.is_none_or(|turn| counter.wait_for(turn, most))
    }

    fn offsets(&self) -> Result<TopicPartitionList, Failure> {
        let mut offsets = TopicPartitionList::new();
        let at = KafkaOffset::Offset(self.reader.position());
        offsets.add_partition_offset(&self.span.topic, self.span.partition, at).map_err(Failure::Client)?;
        Ok(offsets)
    }
}
