//! What the dashboard tells of itself to Prometheus: how its reading goes, who subscribes, and the lag of the workers' group, which it
//! sees from outside, whether a worker runs or not.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{Shared, reader::Channel};
use crate::observe::metrics::{Family, Metrics, list, with_process};

/// What is counted beside verdicts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    unreadable: AtomicU64,
    rebuilt: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
}

impl Counts {
    /// So many new records were no verdicts.
    pub(super) fn unreadable(&self, records: usize) {
        self.unreadable.fetch_add(records as u64, Relaxed);
    }

    /// How many were.
    pub(super) fn unreadable_so_far(&self) -> u64 {
        self.unreadable.load(Relaxed)
    }

    /// A consumer was replaced.
    pub(super) fn rebuilt(&self) {
        self.rebuilt.fetch_add(1, Relaxed);
    }

    /// A subscriber was too slow.
    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    /// How many were.
    pub(super) fn dropped_so_far(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// There was no place for a subscriber.
    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }
}

/// The metrics of a dashboard.
pub(super) fn of(shared: &Arc<Shared>) -> Metrics {
    let shared = Arc::clone(shared);
    Metrics::new(Arc::new(move || with_process(families(&shared))))
}

fn families(shared: &Shared) -> Vec<Family> {
    let [accepted, rejected] = [Channel::Accepted, Channel::Rejected].map(|channel| shared.progress(channel).records);
    let read = [("accepted", accepted), ("rejected", rejected)];
    let lag = shared.lag().clone();
    let partitions = lag.lag().into_iter().flat_map(|lag| &lag.partitions);
    vec![
        Family::each(
            &list::GROUP_LAG,
            partitions.map(|lag| ([lag.topic.clone(), lag.partition.to_string()], lag.records)),
        ),
        Family::of(&list::CAUGHT_UP, shared.reading().caught_up),
        Family::each(&list::READ, read.map(|(channel, records)| ([channel.to_owned()], records))),
        Family::of(&list::UNREADABLE, shared.counts.unreadable_so_far()),
        Family::of(&list::DASHBOARD_REBUILT, shared.counts.rebuilt.load(Relaxed)),
        Family::of(&list::SUBSCRIBERS, shared.stream.receiver_count() as u64),
        Family::of(&list::SUBSCRIBERS_DROPPED, shared.counts.dropped_so_far()),
        Family::of(&list::SUBSCRIBERS_REFUSED, shared.counts.refused.load(Relaxed)),
    ]
}
