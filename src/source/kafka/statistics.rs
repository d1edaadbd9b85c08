//! Lag, read from librdkafka's statistics. Its own `consumer_lag` starts from the offsets that the consumer committed, and
//! this consumer commits none: transactions do. So lag is counted here from the position after the last record handed out,
//! at most one batch ahead of what is committed. The markers at the ends of a producer's transactions move that position, too, though
//! nobody is handed any: one that nothing follows is no lag.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{Offset as KafkaOffset, TopicPartitionList};
use serde::Deserialize;

use super::look_up::Edge;
use crate::domain::Offset;

/// How many records of a partition wait to be judged, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Records up to the end that readers of committed records see.
    pub records: u64,
    /// How long the records judged now have waited; nothing where none wait.
    pub behind: Duration,
}

/// The lag of each partition that a consumer reads, as of the latest statistics and the latest commit. The shard takes its lock
/// once a batch.
#[derive(Debug, Default)]
pub struct Lags(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    waiting: Vec<Waiting>,
    committed: Vec<Committed>,
    ends: Vec<Edge>,
    fetched: Fetched,
}

/// What the statistics say of a partition.
#[derive(Debug)]
struct Waiting {
    topic: String,
    partition: i32,
    records: u64,
    /// Since when there was always one.
    since: Option<Instant>,
}

/// What was committed of a partition.
#[derive(Debug)]
struct Committed {
    topic: String,
    partition: i32,
    /// Everything before it.
    offset: Offset,
    /// When, and how old the last record was then, where it has a time.
    last: Option<(Instant, Duration)>,
}

/// What was fetched and waits to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fetched {
    /// Records.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Lags {
    /// The latest lags.
    #[must_use]
    pub fn get(&self) -> Vec<Lag> {
        let table = self.lock();
        let lag = |waiting: &Waiting| Lag {
            topic: waiting.topic.clone(),
            partition: waiting.partition,
            records: waiting.records,
            behind: table.behind(waiting),
        };
        table.waiting.iter().map(lag).collect()
    }

    /// What was fetched, as of the latest statistics.
    #[must_use]
    pub fn fetched(&self) -> Fetched {
        self.lock().fetched
    }

    /// Takes in what was committed: of each partition the offset after the last record, and that one's timestamp; both times in
    /// milliseconds since 1970.
    pub(crate) fn committed<'p>(&self, parts: impl Iterator<Item = (&'p str, i32, Offset, Option<i64>)>, now: i64) {
        let mut table = self.lock();
        let at = Instant::now();
        for (topic, partition, offset, timestamp) in parts {
            let age = |timestamp| u64::try_from(now.saturating_sub(timestamp)).unwrap_or_default();
            let last = timestamp.map(|timestamp| (at, Duration::from_millis(age(timestamp))));
            let known = table.committed.iter_mut().find(|known| known.partition == partition && known.topic == topic);
            match known {
                Some(known) => (known.offset, known.last) = (offset, last),
                None => table.committed.push(Committed { topic: topic.to_owned(), partition, offset, last }),
            }
        }
    }

    /// Takes in where partitions begin that were assigned. librdkafka is told to begin there, so it doesn't hear what is committed, and
    /// of one that is held before anything of it is committed here it knows no position either.
    pub(crate) fn begin(&self, starts: &TopicPartitionList) {
        let starts = starts.elements();
        let known = starts.iter().filter_map(|start| match start.offset() {
            KafkaOffset::Offset(offset) => Some((start.topic(), start.partition(), Offset(offset), None)),
            _ => None,
        });
        self.committed(known, 0);
    }

    /// Takes in where partitions end that aren't read for the time being: the statistics know what the last fetch told. Where one of
    /// them ended before holds until its leader tells again; of those that are read again it is forgotten.
    pub(crate) fn held(&self, held: &TopicPartitionList, ends: Vec<Edge>) {
        let mut table = self.lock();
        let told = |known: &Edge| ends.iter().any(|end| end.partition == known.partition && end.topic == known.topic);
        table.ends.retain(|known| held.find_partition(&known.topic, known.partition).is_some() && !told(known));
        table.ends.extend(ends);
    }

    /// Forgets every partition that isn't among these: another consumer knows better.
    pub(crate) fn keep(&self, assigned: &TopicPartitionList) {
        let mut table = self.lock();
        let is_ours = |topic: &str, partition| assigned.find_partition(topic, partition).is_some();
        table.waiting.retain(|known| is_ours(&known.topic, known.partition));
        table.committed.retain(|known| is_ours(&known.topic, known.partition));
        table.ends.retain(|known| is_ours(&known.topic, known.partition));
    }

    /// Takes in statistics. Those that can't be read are passed over: they are librdkafka's own, and no event hangs on them.
    pub(super) fn read(&self, json: &[u8]) {
        if let Ok(statistics) = serde_json::from_slice::<Statistics>(json) {
            let mut table = self.lock();
            table.fetched = statistics.fetched();
            table.waiting = statistics.waiting(&table, Instant::now());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Each change of what it guards is complete in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// How long the records judged now have waited: as long as the last one had when it was committed, and since then where
    /// others wait. After a quiet time that is counted from when the first of them was seen, not from the last commit.
    fn behind(&self, Waiting { topic, partition, since, .. }: &Waiting) -> Duration {
        let Some(since) = since else { return Duration::ZERO };
        match self.committed(topic, *partition).and_then(|committed| committed.last) {
            Some((at, age)) => age + at.elapsed().min(since.elapsed()),
            None => since.elapsed(),
        }
    }

    fn committed(&self, topic: &str, partition: i32) -> Option<&Committed> {
        self.committed.iter().find(|known| known.partition == partition && known.topic == topic)
    }
}

#[derive(Deserialize)]
struct Statistics {
    #[serde(default)]
    topics: BTreeMap<String, Topic>,
}

#[derive(Deserialize)]
struct Topic {
    partitions: BTreeMap<i32, Partition>,
}

/// Offsets below zero stand for "not known".
#[derive(Deserialize)]
struct Partition {
    fetch_state: String,
    app_offset: i64,
    committed_offset: i64,
    lo_offset: i64,
    ls_offset: i64,
    #[serde(default)]
    fetchq_cnt: u64,
    #[serde(default)]
    fetchq_size: u64,
}

impl Statistics {
    /// All partitions that are read have one queue, and each tells of all of it.
    fn fetched(&self) -> Fetched {
        let partitions = || self.topics.values().flat_map(|topic| topic.partitions.values());
        Fetched {
            records: partitions().map(|facts| facts.fetchq_cnt).max().unwrap_or(0),
            bytes: partitions().map(|facts| facts.fetchq_size).max().unwrap_or(0),
        }
    }

    /// The lags, and since when there are any: what was known before goes on.
    fn waiting(self, table: &Table, now: Instant) -> Vec<Waiting> {
        let partitions = self.topics.into_iter().flat_map(|(topic, found)| {
            found.partitions.into_iter().map(move |(partition, facts)| (topic.clone(), partition, facts))
        });
        let waiting = |(topic, partition, mut facts): (String, i32, Partition)| {
            let end = table.ends.iter().find(|known| known.partition == partition && known.topic == topic);
            facts.ls_offset = facts.ls_offset.max(end.map_or(-1, |end| end.offset.0));
            let records = facts.lag(table.committed(&topic, partition).map(|committed| committed.offset))?;
            let known = table.waiting.iter().find(|known| known.partition == partition && known.topic == topic);
            let since = (records > 0).then(|| known.and_then(|known| known.since).unwrap_or(now));
            Some(Waiting { topic, partition, records, since })
        };
        partitions.filter_map(waiting).collect()
    }
}

impl Partition {
    /// From the position to the end. After a seek, as where a partition is held, librdkafka knows none: where it began and what was
    /// `committed` since then is known here.
    fn lag(&self, committed: Option<Offset>) -> Option<u64> {
        let ours = committed.map_or(-1, |offset| offset.0);
        let positions = [self.app_offset, ours, self.committed_offset, self.lo_offset];
        let position = positions.into_iter().find(|offset| *offset >= 0)?;
        let known = self.fetch_state == "active" && self.ls_offset >= 0;
        known.then(|| u64::try_from(self.ls_offset - position).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_runs_from_the_position_to_the_last_stable_offset() {
        let lags = Lags::default();
        lags.read(
            br#"{"name":"x","topics":{"events":{"age":1,"partitions":{
                "-1":{"fetch_state":"none","app_offset":-1001,"committed_offset":-1001,"lo_offset":-1001,"ls_offset":-1001},
                "0":{"fetch_state":"active","app_offset":40,"committed_offset":10,"lo_offset":0,"ls_offset":100},
                "1":{"fetch_state":"active","app_offset":-1001,"committed_offset":70,"lo_offset":0,"ls_offset":100},
                "2":{"fetch_state":"active","app_offset":-1001,"committed_offset":-1001,"lo_offset":5,"ls_offset":100},
                "3":{"fetch_state":"stopped","app_offset":1,"committed_offset":1,"lo_offset":0,"ls_offset":100},
                "4":{"fetch_state":"active","app_offset":101,"committed_offset":1,"lo_offset":0,"ls_offset":100}}}}}"#,
        );
        let records: Vec<_> = lags.get().iter().map(|lag| (lag.partition, lag.records)).collect();
        assert_eq!(records, [(0, 60), (1, 30), (2, 95), (4, 0)]);
    }

    /// One partition, so many records behind, with twelve fetched.
    fn behind_by(records: u64) -> String {
        let offsets =
            format!(r#""app_offset":100,"committed_offset":-1001,"lo_offset":0,"ls_offset":{}"#, 100 + records);
        told(&[3], &offsets)
    }

    /// These partitions with these offsets, and twelve fetched in the queue that they share.
    fn told(partitions: &[i32], offsets: &str) -> String {
        let facts = format!(r#"{{"fetch_state":"active",{offsets},"fetchq_cnt":12,"fetchq_size":8400}}"#);
        let each: Vec<_> = partitions.iter().map(|partition| format!(r#""{partition}":{facts}"#)).collect();
        format!(r#"{{"topics":{{"events":{{"partitions":{{{}}}}}}}}}"#, each.join(","))
    }

    #[test]
    fn what_is_fetched_waits_in_one_queue_of_which_every_partition_tells() {
        let lags = Lags::default();
        lags.read(told(&[0, 1, 2], r#""app_offset":1,"committed_offset":1,"lo_offset":0,"ls_offset":1"#).as_bytes());
        assert_eq!(lags.fetched(), Fetched { records: 12, bytes: 8_400 });
    }

    #[test]
    fn the_lag_of_a_partition_that_is_held_runs_to_the_end_that_its_leader_told() {
        let lags = Lags::default();
        let facts = told(&[3], r#""app_offset":90,"committed_offset":90,"lo_offset":0,"ls_offset":100"#);
        let records = || {
            lags.read(facts.as_bytes());
            lags.get()[0].records
        };
        let end = |offset| vec![Edge { topic: "events".to_owned(), partition: 3, offset: Offset(offset) }];
        let mut held = TopicPartitionList::new();
        held.add_partition("events", 3);
        lags.held(&held, end(95));
        assert_eq!(records(), 10, "what was fetched since is further");
        lags.held(&held, end(140));
        assert_eq!(records(), 50);
        lags.held(&held, Vec::new());
        assert_eq!(records(), 50, "nobody told it anew");
        lags.held(&TopicPartitionList::new(), Vec::new());
        assert_eq!(records(), 10, "it is read again");
        lags.held(&held, end(140));
        lags.keep(&TopicPartitionList::new());
        assert_eq!(records(), 10, "it is another's");
    }

    #[test]
    fn the_lag_of_a_partition_without_a_position_runs_from_what_was_committed() {
        let lags = Lags::default();
        let held = told(&[3], r#""app_offset":-1001,"committed_offset":10,"lo_offset":0,"ls_offset":100"#);
        let records = || lags.get()[0].records;
        lags.read(held.as_bytes());
        assert_eq!(records(), 90, "nothing was committed here yet");
        lags.committed([("events", 3, Offset(95), None)].into_iter(), 60_000);
        lags.read(held.as_bytes());
        assert_eq!(records(), 5);
    }

    #[test]
    fn the_lag_of_a_partition_of_which_nothing_was_read_runs_from_where_it_begins() {
        let lags = Lags::default();
        let held = told(&[3], r#""app_offset":-1001,"committed_offset":-1001,"lo_offset":0,"ls_offset":100"#);
        let mut starts = TopicPartitionList::new();
        starts.add_partition_offset("events", 3, KafkaOffset::Offset(95)).unwrap();
        starts.add_partition_offset("events", 4, KafkaOffset::Beginning).unwrap();
        lags.begin(&starts);
        lags.read(held.as_bytes());
        assert_eq!(lags.get()[0].records, 5);
    }

    #[test]
    fn a_partition_is_as_far_behind_as_its_last_record_was_and_since_then_while_others_wait() {
        let lags = Lags::default();
        let behind = || lags.get()[0].behind;
        let (minute, soon) = (Duration::from_secs(60), Duration::from_secs(5));
        lags.read(behind_by(0).as_bytes());
        lags.committed([("events", 3, Offset(100), Some(0))].into_iter(), 60_000);
        assert_eq!(behind(), Duration::ZERO, "the last record was old, and none waits");
        lags.read(behind_by(7).as_bytes());
        assert!((minute..minute + soon).contains(&behind()), "{:?}", behind());
        lags.committed([("events", 3, Offset(100), Some(61_000))].into_iter(), 60_000);
        assert!(behind() < soon, "a clock that is ahead makes no time behind: {:?}", behind());
        assert_eq!(lags.fetched(), Fetched { records: 12, bytes: 8_400 });
    }

    #[test]
    fn time_behind_grows_while_records_wait_and_nothing_is_committed_but_not_over_a_quiet_time() {
        let lags = Lags::default();
        let minute = Duration::from_secs(60);
        lags.committed([("events", 3, Offset(100), Some(0))].into_iter(), 0);
        if let Some((at, _)) = &mut lags.lock().committed[0].last {
            *at -= minute;
        }
        lags.read(behind_by(7).as_bytes());
        assert!(lags.get()[0].behind < minute / 2, "the minute was quiet: nothing waited");
        lags.lock().waiting[0].since = Some(Instant::now() - minute);
        lags.read(behind_by(8).as_bytes());
        assert!(lags.get()[0].behind >= minute, "records have waited for all of it");
    }

    #[test]
    fn a_partition_that_went_to_another_is_forgotten() {
        let lags = Lags::default();
        lags.read(behind_by(7).as_bytes());
        let mut assigned = TopicPartitionList::new();
        assigned.add_partition("events", 3);
        lags.keep(&assigned);
        assert_eq!(lags.get().len(), 1);
        lags.keep(&TopicPartitionList::new());
        assert_eq!(lags.get(), []);
    }

    #[test]
    fn statistics_that_cannot_be_read_change_nothing() {
        let lags = Lags::default();
        lags.read(b"{}");
        lags.read(b"nonsense");
        assert_eq!(lags.get(), []);
    }
}
