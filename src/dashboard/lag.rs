//! How far the worker is behind: its group's committed offsets beside the ends of the topics of events, looked up from outside.
//! The consumer bears the group's name and never joins it.
//!
//! Offsets are no count of events: markers of transactions and records that were aborted take some, too, and a group that has judged
//! everything has committed the place after its last event. A partition that stands still before its end is therefore read once, up to
//! an event or its end, and again only once it has moved.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
    topic_partition_list::TopicPartitionListElem,
};

use super::{
    Shared,
    answers::{Lag, Looked, PartitionLag, Unanswered},
    now,
    topic::{Context, TopicError, is_lost, partitions},
};
use crate::{
    native,
    source::kafka::{LookUpError, edges},
};

/// How often it is looked up.
const PAUSE: Duration = Duration::from_secs(3);
/// How long a broker may take to answer.
const LOOKUP: Duration = Duration::from_secs(5);
/// How long the partitions of a topic that stand still may take to be read.
const READING: Duration = Duration::from_secs(1);

/// Looks up the lag, over and over.
pub(super) struct Watch {
    pub(super) inputs: Vec<String>,
    pub(super) group: String,
    pub(super) consumer: ClientConfig,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: Arc<AtomicBool>,
}

/// A topic and a partition.
type Place = (String, i32);

/// From where the group reads on, and where the partition ends.
type Span = (i64, i64);

impl Watch {
    /// Looks until it is stopped.
    pub(super) fn run(&self) {
        let (mut consumer, mut table, mut known) = (None, Table::default(), true);
        while !self.stop.load(Relaxed) {
            let lag = self.look(&mut consumer, &mut table);
            if let (Err(error), true) = (&lag, known) {
                tracing::warn!(%error, group = self.group, "the lag can't be looked up");
            }
            known = lag.is_ok();
            let mut told = self.shared.lag();
            *told = looked(&told, lag, now());
            drop(told);
            thread::park_timeout(PAUSE);
        }
    }

    /// Looks once, by a new consumer where there is none, or the one that is there is lost.
    fn look(&self, consumer: &mut Option<BaseConsumer<Context>>, table: &mut Table) -> Result<Lag, TopicError> {
        let usable = match consumer.take().filter(|consumer| !is_lost(consumer)) {
            Some(usable) => usable,
            None => self.properties().create_with_context(Context::default()).map_err(|error| self.failed(error))?,
        };
        self.lag(consumer.insert(usable), table)
    }

    fn failed(&self, error: impl Into<LookUpError>) -> TopicError {
        TopicError::of(&self.inputs.join(", "), error)
    }

    fn properties(&self) -> ClientConfig {
        let mut config = self.consumer.clone();
        for (name, value) in [
            ("group.id", self.group.as_str()),
            ("client.id", "attrsync-dashboard-lag"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "true"),
            // To be led to the end would look like an end that was reached.
            ("auto.offset.reset", "error"),
            // An end is told by an answer that is empty.
            ("fetch.wait.max.ms", "20"),
            // One event is enough.
            ("queued.min.messages", "1"),
            ("fetch.queue.backoff.ms", "10"),
            ("max.partition.fetch.bytes", "65536"),
        ] {
            config.set(name, value);
        }
        native::hear_warnings(&mut config);
        config
    }

    fn lag(&self, consumer: &BaseConsumer<Context>, table: &mut Table) -> Result<Lag, TopicError> {
        let mut all = TopicPartitionList::new();
        for topic in &self.inputs {
            for partition in partitions(consumer, topic)? {
                all.add_partition(topic, partition);
            }
        }
        let kafka = |error| self.failed(LookUpError::of(consumer, error));
        let number = all.count();
        let still = table.renew(spans(consumer, all).map_err(kafka)?);
        for topic in &self.inputs {
            let still: Vec<_> = still.iter().filter(|((name, _), _)| name == topic).collect();
            if !still.is_empty() {
                let waiting = read(consumer, &still).map_err(kafka)?;
                table.read(topic, &waiting);
            }
        }
        Ok(table.lag(number))
    }
}

/// What this look came to, after what was known before it.
fn looked(before: &Looked, lag: Result<Lag, TopicError>, now: i64) -> Looked {
    match (lag, before) {
        (Ok(lag), _) => Looked::Found(lag),
        (Err(missing @ TopicError::Missing(_)), _) => Looked::Missing(missing.to_string()),
        (Err(error), Looked::Unknown(before)) => {
            Looked::Unknown(Unanswered { since: before.since, why: error.to_string() })
        }
        (Err(error), _) => Looked::Unknown(Unanswered { since: now, why: error.to_string() }),
    }
}

/// Where the group and each partition stand; those of which one of the two isn't known are left out.
fn spans(consumer: &BaseConsumer<Context>, all: TopicPartitionList) -> KafkaResult<BTreeMap<Place, Span>> {
    let committed = consumer.committed_offsets(all.clone(), LOOKUP)?;
    let low = offsets(consumer, all.clone(), Offset::Beginning)?;
    let high = offsets(consumer, all, Offset::End)?;
    let span = |found: &TopicPartitionListElem<'_>| {
        found.error().ok()?;
        let place = (found.topic().to_owned(), found.partition());
        let (low, high) = (*low.get(&place)?, *high.get(&place)?);
        // One beyond the end is of a topic that was made anew, and no place in this one.
        let next = match found.offset() {
            Offset::Offset(offset) if offset <= high => offset.max(low),
            _ => low,
        };
        Some((place, (next, high)))
    };
    Ok(committed.elements().iter().filter_map(span).collect())
}

/// Where each partition begins or ends. One that nobody leads is left out.
fn offsets(
    consumer: &BaseConsumer<Context>,
    all: TopicPartitionList,
    which: Offset,
) -> KafkaResult<BTreeMap<Place, i64>> {
    let found = edges(consumer, all, which, LOOKUP)?;
    Ok(found.into_iter().map(|edge| ((edge.topic, edge.partition), edge.offset.0)).collect())
}

/// Reads partitions of one topic from where the group reads on, each up to an event or its end: whether an event waits there. One
/// that isn't read in time has no answer.
fn read(consumer: &BaseConsumer<Context>, still: &[&(Place, i64)]) -> KafkaResult<BTreeMap<i32, bool>> {
    let mut all = TopicPartitionList::new();
    for ((topic, partition), next) in still {
        all.add_partition_offset(topic, *partition, Offset::Offset(*next))?;
    }
    consumer.assign(&all)?;
    let (begun, mut waiting) = (Instant::now(), BTreeMap::new());
    while waiting.len() < still.len() {
        let Some(left) = READING.checked_sub(begun.elapsed()) else { break };
        match consumer.poll(left) {
            // The end after an event says nothing.
            Some(Ok(record)) => _ = waiting.entry(record.partition()).or_insert(true),
            Some(Err(KafkaError::PartitionEOF(partition))) => _ = waiting.entry(partition).or_insert(false),
            Some(Err(refused)) if refused.rdkafka_error_code() == Some(Code::TopicAuthorizationFailed) => {
                consumer.unassign()?;
                return Err(refused);
            }
            // Whatever it is, it is read with the next look.
            Some(Err(_)) | None => {}
        }
    }
    consumer.unassign()?;
    Ok(waiting)
}

/// What is known of each partition.
#[derive(Debug, Default)]
struct Table(BTreeMap<Place, Known>);

/// What is known of a partition.
#[derive(Debug, Clone, Copy)]
struct Known {
    span: Span,
    /// Whether an event waits in it, once that was read.
    waits: Option<bool>,
}

impl Table {
    /// Takes in where the partitions stand. The answer is those that stood there before, short of their ends, and have not been read
    /// since; each with where to read on.
    fn renew(&mut self, spans: BTreeMap<Place, Span>) -> Vec<(Place, i64)> {
        let mut still = Vec::new();
        let mut renewed = BTreeMap::new();
        for (place, span) in spans {
            let before = self.0.get(&place).filter(|known| known.span == span);
            let waits = before.and_then(|known| known.waits);
            if before.is_some() && waits.is_none() && span.0 < span.1 {
                still.push((place.clone(), span.0));
            }
            renewed.insert(place, Known { span, waits });
        }
        self.0 = renewed;
        still
    }

    /// Takes in in which partitions of this topic an event waits.
    fn read(&mut self, topic: &str, waiting: &BTreeMap<i32, bool>) {
        for ((_, partition), known) in self.0.iter_mut().filter(|((name, _), _)| name == topic) {
            known.waits = waiting.get(partition).copied().or(known.waits);
        }
    }

    /// The lag of a group on so many partitions.
    fn lag(&self, number: usize) -> Lag {
        let lag = |((topic, partition), Known { span: (next, end), waits }): (&Place, &Known)| {
            let records = if *waits == Some(false) { 0 } else { u64::try_from(end - next).unwrap_or_default() };
            PartitionLag { topic: topic.clone(), partition: *partition, records }
        };
        let partitions: Vec<_> = self.0.iter().map(lag).collect();
        let records = partitions.iter().map(|lag| lag.records).sum();
        Lag { records, at: now(), unknown: number - partitions.len(), partitions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where two partitions of a topic stand.
    fn spans(spans: [Span; 2]) -> BTreeMap<Place, Span> {
        (0..).zip(spans).map(|(partition, span)| (("events".to_owned(), partition), span)).collect()
    }

    fn records(table: &Table) -> Vec<u64> {
        table.lag(2).partitions.iter().map(|lag| lag.records).collect()
    }

    #[test]
    fn what_stands_still_before_its_end_is_read_once_and_what_holds_no_event_is_no_lag() {
        let mut table = Table::default();
        assert_eq!(table.renew(spans([(5, 7), (9, 9)])), [], "nobody knows yet whether it stands still");
        assert_eq!(records(&table), [2, 0]);
        let place = ("events".to_owned(), 0);
        assert_eq!(table.renew(spans([(5, 7), (9, 9)])), [(place.clone(), 5)]);
        table.read("events", &BTreeMap::new());
        assert_eq!(table.renew(spans([(5, 7), (9, 9)])), [(place, 5)], "nothing was read in time");
        table.read("boots", &[(0, true)].into());
        table.read("events", &[(0, false)].into());
        assert_eq!(records(&table), [0, 0]);
        assert_eq!(table.renew(spans([(5, 7), (9, 9)])), []);
        assert_eq!(records(&table), [0, 0], "it stands where it was");
        assert_eq!(table.renew(spans([(5, 8), (9, 9)])), []);
        assert_eq!(records(&table), [3, 0], "something came after it");
    }

    #[test]
    fn events_that_wait_are_lag_however_long_they_do() {
        let mut table = Table::default();
        table.renew(spans([(5, 7), (0, 1)]));
        table.renew(spans([(5, 7), (0, 1)]));
        table.read("events", &[(0, true), (1, false)].into());
        assert_eq!(table.renew(spans([(5, 7), (0, 1)])), []);
        assert_eq!(records(&table), [2, 0]);
    }

    #[test]
    fn since_when_it_is_not_known_is_kept_until_it_is_known_again() {
        let refused = || Err(TopicError::of("events", KafkaError::Global(Code::GroupAuthorizationFailed)));
        let since = |looked: &Looked| if let Looked::Unknown(unanswered) = looked { unanswered.since } else { 0 };
        let first = looked(&Looked::Never, refused(), 1_000);
        let second = looked(&first, refused(), 4_000);
        assert_eq!((since(&first), since(&second)), (1_000, 1_000));
        let found = looked(&second, Ok(Table::default().lag(0)), 7_000);
        assert!(found.lag().is_some());
        assert_eq!(since(&looked(&found, refused(), 10_000)), 10_000);
    }

    #[test]
    fn partitions_of_which_nothing_is_known_are_counted_apart() {
        let mut table = Table::default();
        table.renew(spans([(5, 7), (9, 9)]));
        let lag = table.lag(3);
        assert_eq!((lag.records, lag.partitions.len(), lag.unknown), (2, 2, 1));
    }
}
