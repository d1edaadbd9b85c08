//! A topic's history: ranges of offsets, taken when the replay begins, so that it ends by itself. Each thread takes one partition after
//! the other, the largest first, with a consumer of its own that is told by hand what to read: no group of a worker's is joined, and
//! nothing of it is changed.

mod jumps;
mod range;
mod reader;

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use rdkafka::ClientConfig;

use self::range::Found;
pub use self::range::{Offsets, Wanted};
pub(super) use self::{
    range::{LOOKUP, Span},
    reader::{RECORDS, SpanReader},
};
use super::{Chunk, Defaults, Each, Failure, Measure, PlannedSpan, Positions, Reader, Source};
use crate::{
    domain::Arena,
    source::kafka::{Assigned, Hand},
};

/// How records are fetched.
#[derive(Clone)]
pub struct Fetching {
    /// Properties of the consumers: the brokers, and what the operator passes through.
    pub consumer: ClientConfig,
    /// Bytes of fetched records that may wait, over all threads.
    pub queue_bytes: usize,
    /// The most threads.
    pub threads: Option<usize>,
}

/// The group under which a replay that keeps nothing reads; never joined, and nothing is committed under it.
const NOBODY: &str = "attrsync-replay";
/// What is fetched at a time where only some records are wanted here and there.
const SPARSE_BYTES: usize = 64 * 1024;
/// What is fetched at a time where all are wanted.
const DENSE_BYTES: usize = 1024 * 1024;

impl Fetching {
    /// How many threads read so many partitions.
    pub(super) fn threads(&self, partitions: usize) -> usize {
        let most = self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        most.min(partitions).max(1)
    }

    /// A consumer for one of so many threads, under this group.
    pub(super) fn consumer(&self, group: &str, threads: usize, reading: Reading) -> Result<Assigned, Failure> {
        let queue_bytes = self.queue_bytes / threads.max(1);
        let (queue_bytes, ahead) = match reading {
            // What is fetched ahead of a range's end is thrown away; where all is read nothing is.
            Reading::Sparse => (SPARSE_BYTES, 1),
            Reading::Dense => (queue_bytes, 100_000),
        };
        let (group, client) = (group.to_owned(), NOBODY.to_owned());
        let hand = Hand { group, client, queue_bytes, fetch_bytes: reading.fetch_bytes(), ahead };
        Assigned::new(&hand, &self.consumer).map_err(Failure::Client)
    }

    /// The same as a reader of spans.
    pub(super) fn reader(&self, group: &str, threads: usize, reading: Reading) -> Result<SpanReader, Failure> {
        Ok(SpanReader::new(self.consumer(group, threads, reading)?, reading.fetch_bytes()))
    }
}

/// How much of what lies between the first and the last offset is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Most of it, or what is wanted is so close to each other that the rest is read through.
    Dense,
    /// Some of it here and there.
    Sparse,
}

impl Reading {
    /// How these are read.
    pub(super) fn of<'s>(spans: impl IntoIterator<Item = &'s Span>) -> Self {
        if spans.into_iter().any(Span::is_sparse) { Self::Sparse } else { Self::Dense }
    }

    fn fetch_bytes(self) -> usize {
        match self {
            Self::Dense => DENSE_BYTES,
            Self::Sparse => SPARSE_BYTES,
        }
    }
}

/// Records of topics, in ranges.
pub struct Topics {
    fetching: Fetching,
    defaults: Defaults,
    spans: Vec<Span>,
    beyond: u64,
    left: Mutex<VecDeque<Span>>,
    gone: AtomicU64,
    fetched: AtomicU64,
    handed_out: AtomicU64,
}

impl Topics {
    /// Looks up what of these topics is wanted.
    ///
    /// # Errors
    /// When a topic isn't there, or nobody answers.
    pub fn open(topics: &[String], wanted: &Wanted, fetching: Fetching, defaults: Defaults) -> Result<Self, Failure> {
        let consumer = fetching.consumer(NOBODY, 1, Reading::Dense)?;
        let mut found = Found::default();
        for topic in topics {
            found.add(range::look_up(&consumer, topic, wanted)?);
        }
        Ok(Self::of(found, fetching, defaults))
    }

    /// Looks up the records at these positions. Those that aren't there any more are counted.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn at(positions: Positions, fetching: Fetching, defaults: Defaults) -> Result<Self, Failure> {
        let consumer = fetching.consumer(NOBODY, 1, Reading::Dense)?;
        Ok(Self::of(range::look_up_positions(&consumer, positions)?, fetching, defaults))
    }

    fn of(Found { mut spans, gone, beyond }: Found, fetching: Fetching, defaults: Defaults) -> Self {
        // The largest first, so that the threads end at about the same time.
        spans.sort_by_key(|span| std::cmp::Reverse(span.size()));
        let left = Mutex::new(spans.iter().cloned().collect());
        let (gone, fetched, handed_out) = (AtomicU64::new(gone), AtomicU64::new(0), AtomicU64::new(0));
        Self { fetching, defaults, spans, beyond, left, gone, fetched, handed_out }
    }

    /// Offsets that were asked for and are no longer kept.
    #[must_use]
    pub fn gone(&self) -> u64 {
        self.gone.load(Relaxed)
    }

    /// Offsets that were asked for, and that came after their partition's end when it was looked up.
    #[must_use]
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// Records that were handed out.
    #[must_use]
    pub fn handed_out(&self) -> u64 {
        self.handed_out.load(Relaxed)
    }

    /// Bytes that came from the brokers, once all readers have ended.
    #[must_use]
    pub fn fetched_bytes(&self) -> u64 {
        self.fetched.load(Relaxed)
    }

    /// The ranges, for a plan.
    #[must_use]
    pub fn planned(&self) -> Vec<PlannedSpan> {
        self.spans.iter().map(PlannedSpan::from).collect()
    }

    fn next(&self) -> Option<Span> {
        // Poisoned only by a panic of another thread, after which nothing is written any more.
        self.left.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl Source for Topics {
    fn threads(&self) -> usize {
        self.fetching.threads(self.spans.len())
    }

    fn size(&self) -> Option<u64> {
        Some(self.spans.iter().map(Span::size).sum())
    }

    fn measure(&self) -> Measure {
        Measure::Offsets
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>, Failure> {
        let reader = self.fetching.reader(NOBODY, self.threads(), Reading::of(&self.spans))?;
        Ok(Box::new(TopicReader { topics: self, reader, arena: Arena::new() }))
    }
}

struct TopicReader<'t> {
    topics: &'t Topics,
    reader: SpanReader,
    arena: Arena,
}

impl Reader for TopicReader<'_> {
    fn read(&mut self, each: &mut Each<'_>) -> Result<Option<Chunk>, Failure> {
        while self.reader.is_done() {
            let Some(span) = self.topics.next() else {
                self.topics.fetched.fetch_add(self.reader.consumer().fetched_bytes(), Relaxed);
                return Ok(None);
            };
            self.reader.begin(span)?;
        }
        let defaults = &self.topics.defaults;
        let read = self
            .reader
            .read(&mut self.arena, RECORDS, &mut |record, arena| each(&defaults.apply(*record, arena), arena))?;
        self.topics.gone.fetch_add(read.gone, Relaxed);
        self.topics.handed_out.fetch_add(read.chunk.records, Relaxed);
        Ok(Some(read.chunk))
    }
}
