//! Lag, read from librdkafka's statistics. Its own `consumer_lag` starts from the offsets that the consumer committed, and
//! this consumer commits none: transactions do. So lag is counted here from the position after the last record handed out,
//! at most one batch ahead of what is committed.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;

/// How many records of a partition wait to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Records up to the end that readers of committed records see.
    pub records: u64,
}

/// The lag of each partition that a consumer reads, as of the latest statistics.
#[derive(Debug, Default)]
pub struct Lags(Mutex<Vec<Lag>>);

impl Lags {
    /// The latest lags.
    #[must_use]
    pub fn get(&self) -> Vec<Lag> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in statistics. Those that can't be read are passed over: they are librdkafka's own, and no event hangs on them.
    pub(super) fn read(&self, json: &[u8]) {
        if let Ok(statistics) = serde_json::from_slice::<Statistics>(json) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = statistics.lags();
        }
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
}

impl Statistics {
    fn lags(self) -> Vec<Lag> {
        let partitions = self.topics.into_iter().flat_map(|(topic, found)| {
            found.partitions.into_iter().map(move |(partition, facts)| (topic.clone(), partition, facts))
        });
        partitions
            .filter_map(|(topic, partition, facts)| Some(Lag { topic, partition, records: facts.lag()? }))
            .collect()
    }
}

impl Partition {
    fn lag(&self) -> Option<u64> {
        let position =
            [self.app_offset, self.committed_offset, self.lo_offset].into_iter().find(|offset| *offset >= 0)?;
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

    #[test]
    fn statistics_that_cannot_be_read_change_nothing() {
        let lags = Lags::default();
        lags.read(b"{}");
        lags.read(b"nonsense");
        assert_eq!(lags.get(), []);
    }
}
