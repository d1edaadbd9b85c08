//! By which version of the settings each event was judged live: what the verdict topics tell, kept as runs.
//!
//! A batch is judged by one snapshot, so that the events of a partition are judged by the same version for long stretches. Verdicts
//! come in no order across the verdict topics' partitions; a run reaches over events that haven't come yet, and one that comes
//! and says another version splits it. Each event that was told has its own version in the end, and one that wasn't has that of
//! the events around it, where these agree.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;

use super::{Failure, Work};
use crate::{
    domain::{Arena, Position, Record},
    emit::names,
};

/// By which version each event was judged.
#[derive(Debug, Default)]
pub struct Judged(HashMap<String, Vec<Runs>>);

/// The runs of a partition: by the first offset, the last one and the version.
#[derive(Debug, Default)]
struct Runs(BTreeMap<i64, (i64, u64)>);

impl Runs {
    fn put(&mut self, offset: i64, version: u64) {
        let before = self.0.range(..=offset).next_back().map(|(first, run)| (*first, *run));
        if let Some((first, (last, of))) = before {
            if of == version {
                self.0.insert(first, (last.max(offset), version));
                return;
            }
            if offset <= last {
                self.split(offset, (first, last, of));
            }
        }
        let after = self.0.range(offset + 1..).next().map(|(first, run)| (*first, *run));
        match after {
            Some((first, (last, of))) if of == version => {
                self.0.remove(&first);
                self.0.insert(offset, (last, version));
            }
            _ => _ = self.0.insert(offset, (offset, version)),
        }
    }

    /// Takes one offset out of a run.
    fn split(&mut self, offset: i64, (first, last, version): (i64, i64, u64)) {
        self.0.remove(&first);
        if first < offset {
            self.0.insert(first, (offset - 1, version));
        }
        if offset < last {
            self.0.insert(offset + 1, (last, version));
        }
    }

    fn get(&self, offset: i64) -> Option<u64> {
        let (_, (last, version)) = self.0.range(..=offset).next_back()?;
        (offset <= *last).then_some(*version)
    }
}

impl Judged {
    fn put(&mut self, told: &Told<'_>) {
        let Ok(partition) = usize::try_from(told.source.partition) else { return };
        // A partition beyond what Kafka can have would only take memory.
        if partition > 1_000_000 || told.source.offset < 0 {
            return;
        }
        let partitions = match self.0.get_mut(told.source.topic) {
            Some(partitions) => partitions,
            None => self.0.entry(told.source.topic.to_owned()).or_default(),
        };
        if partitions.len() <= partition {
            partitions.resize_with(partition + 1, Runs::default);
        }
        partitions[partition].put(told.source.offset, told.settings_version);
    }

    /// The version that judged the event at this position.
    #[must_use]
    pub fn version(&self, position: Position<'_>) -> Option<u64> {
        let partition = usize::try_from(position.partition.0).ok()?;
        self.0.get(position.topic)?.get(partition)?.get(position.offset.0)
    }
}

/// What of a verdict tells which settings gave it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told<'t> {
    #[serde(borrow)]
    source: ToldSource<'t>,
    settings_version: u64,
}

#[derive(Deserialize)]
struct ToldSource<'t> {
    topic: &'t str,
    partition: i64,
    offset: i64,
}

/// The work over the verdict topics that learns it. All threads share what is learnt: a run that one has seen may be split by
/// what another one sees.
#[derive(Clone, Default)]
pub struct Learning(Arc<Mutex<Judged>>);

impl Learning {
    /// What was learnt.
    #[must_use]
    pub fn learnt(self) -> Judged {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Work for Learning {
    fn record<'a>(&mut self, record: &Record<'a>, _: &'a Arena, _: &mut Vec<u8>) -> Result<(), Failure> {
        // A replayed verdict tells nothing of how the event was judged live.
        let replayed = record.headers.iter().any(|header| header.name == names::REPLAY);
        // A record that is no verdict tells nothing; whoever wrote it among them is the dashboard's concern.
        let told = record.value.filter(|_| !replayed).and_then(|value| serde_json::from_slice::<Told<'_>>(value).ok());
        if let Some(told) = told {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).put(&told);
        }
        Ok(())
    }

    fn add(&mut self, _: Self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_its_own_version_in_whatever_order_they_come() {
        let versions: Vec<u64> = (0..200).map(|offset| [7, 7, 8, 7, 9][offset / 40]).chain([8, 7, 8]).collect();
        // 47 is coprime to 203: each offset once, far from the one before.
        for step in [1, 47, 101, 202] {
            let mut runs = Runs::default();
            for at in 0..versions.len() {
                let offset = at * step % versions.len();
                runs.put(offset.try_into().unwrap(), versions[offset]);
            }
            let found: Vec<_> = (0..203).filter_map(|offset| runs.get(offset)).collect();
            assert_eq!(found, versions, "{step}");
            assert_eq!(runs.get(203), None);
        }
    }

    #[test]
    fn long_stretches_take_one_run_and_one_that_was_not_told_has_the_version_around_it() {
        let mut runs = Runs::default();
        (0..1_000).filter(|offset| offset % 10 != 3).for_each(|offset| runs.put(offset, 7 + u64::from(offset >= 500)));
        assert_eq!((runs.get(3), runs.get(993), runs.0.len()), (Some(7), Some(8), 2));
    }
}
