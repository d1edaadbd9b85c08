//! A replay into topics as it was planned: which records, by which settings, to where. It is written to a file named by the replay's id
//! before the first verdict is sent, so that a replay that was killed goes on as what it was, whatever the command line, the
//! settings or the topics are by then. How far it is isn't in there: that is in Kafka, committed with the verdicts.
//!
//! The file and not the metadata of the committed offsets: those hold four kilobytes, and a plan may name a hundred thousand positions.

use std::{
    fs::{self, File},
    io::{self, Write},
    ops::Range,
    path::{Path, PathBuf},
};

use rdkafka::{Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use super::{
    Failure, Fetching, Filter,
    deliver::{group, position},
    topic::{Reading, Span},
};
use crate::{source::kafka::Keeper as _, worker::Options};

/// A replay into topics as it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The replay's id.
    pub id: String,
    /// The topic of accepted verdicts.
    pub accepted: String,
    /// The topic of rejected verdicts.
    pub rejected: String,
    /// Which events.
    pub filter: Filter,
    /// The type of an event that does not say it.
    pub default_type: Option<String>,
    /// The time of a record without one, in milliseconds since the epoch.
    pub now: i64,
    /// The consumer group of the configuration, of whose name the replay's own group is made.
    #[serde(default)]
    pub group: String,
    /// What transactional ids begin with in the configuration, and so the replay's own: by these a later run ends what an earlier one left.
    #[serde(default)]
    pub transactional_id_prefix: String,
    /// By which settings, in the words of the command that chose them.
    pub settings: Vec<String>,
    /// The version of these settings, where it is one.
    pub settings_version: Option<u64>,
    /// The version of the policy alone, where each event has settings of its own.
    pub policy_version: Option<u64>,
    /// The records.
    pub spans: Vec<PlannedSpan>,
    /// Offsets that were asked for and were no longer kept.
    pub gone: u64,
    /// Offsets that were asked for and came after their partition's end.
    #[serde(default)]
    pub beyond: u64,
    /// Whether they are those of events behind rejections.
    #[serde(default)]
    pub rejections: bool,
}

/// Ranges of a partition: each its first offset, and the one after its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSpan {
    topic: String,
    partition: i32,
    ranges: Vec<[i64; 2]>,
}

impl From<&Span> for PlannedSpan {
    fn from(span: &Span) -> Self {
        let ranges = span.ranges.iter().map(|range| [range.start, range.end]).collect();
        Self { topic: span.topic.clone(), partition: span.partition, ranges }
    }
}

impl From<&PlannedSpan> for Span {
    fn from(planned: &PlannedSpan) -> Self {
        let range = |[start, end]: &[i64; 2]| Range { start: *start, end: *end };
        let ranges = planned.ranges.iter().map(range).collect();
        Self { topic: planned.topic.clone(), partition: planned.partition, ranges }
    }
}

impl Plan {
    /// Where the plan of this replay is.
    #[must_use]
    pub fn path(folder: &Path, id: &str) -> PathBuf {
        folder.join(format!("attrsync-replay-{id}.json"))
    }

    /// Writes it, whole or not at all; fails where there is one of this id. It is kept once this has `begun`: an id is used up where
    /// that has, so first it has to be sure that the plan can be written.
    ///
    /// # Errors
    /// When it can't be written, or is there already, or hasn't begun.
    pub fn keep(&self, folder: &Path, begun: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
        let path = Self::path(folder, &self.id);
        let failed = |error| Failure::Plan { path: path.display().to_string(), error };
        let partial = folder.join(format!(".attrsync-replay-{}.{}.partial", self.id, std::process::id()));
        // A link and not a new name: it fails where another one is.
        let place = || fs::hard_link(&partial, &path).map_err(failed);
        let kept = self.write(&partial).map_err(failed).and_then(|()| begun()).and_then(|()| place());
        // Left behind where it can't be removed; nobody reads it.
        let _ = fs::remove_file(&partial);
        kept
    }

    fn write(&self, partial: &Path) -> io::Result<()> {
        let mut file = File::create(partial)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()
    }

    /// How many offsets it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.spans.iter().map(|span| Span::from(span).size()).sum()
    }

    /// Has its group stand where it begins. From then on a position that isn't there was lost, and a replay of this id is not begun
    /// a second time.
    ///
    /// # Errors
    /// When a replay of this id was begun before, or nobody answers.
    pub fn begin(&self, options: &Options, fetching: &Fetching) -> Result<(), Failure> {
        let consumer = fetching.consumer(&group(options, &self.id), 1, Reading::Dense)?;
        let mut starts = TopicPartitionList::new();
        for span in self.spans.iter().map(Span::from) {
            if position(&consumer, &span)?.is_some() {
                return Err(Failure::Begun { id: self.id.clone() });
            }
            let start = Offset::Offset(span.ranges.first().map_or(0, |range| range.start));
            starts.add_partition_offset(&span.topic, span.partition, start).map_err(Failure::Client)?;
        }
        if starts.count() == 0 {
            return Ok(());
        }
        let begun = |source| Failure::Begin { id: self.id.clone(), source };
        consumer.commit(&starts).map_err(begun)
    }

    /// Reads the plan of this replay.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub fn read(folder: &Path, id: &str) -> Result<Self, Failure> {
        let path = Self::path(folder, id);
        let read = fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?));
        read.map_err(|error| Failure::Plan { path: path.display().to_string(), error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_back_as_it_was_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let span = Span { topic: "events".to_owned(), partition: 3, ranges: vec![1..5, 9..10] };
        let plan = Plan {
            id: "one".to_owned(),
            accepted: "a".to_owned(),
            rejected: "r".to_owned(),
            filter: Filter { organization: Some("acme".to_owned()), ..Filter::default() },
            default_type: None,
            now: 1_795_341_600_000,
            group: "attrsync".to_owned(),
            transactional_id_prefix: "attrsync-2".to_owned(),
            settings: vec!["now".to_owned()],
            settings_version: Some(u64::MAX),
            policy_version: None,
            spans: vec![PlannedSpan::from(&span)],
            gone: 7,
            beyond: 3,
            rejections: true,
        };
        assert!(
            plan.keep(folder.path(), || Err(Failure::Stopped)).is_err() && Plan::read(folder.path(), "one").is_err()
        );
        let unwritable = plan.keep(&folder.path().join("missing"), || panic!("nothing begins that can't be kept"));
        assert!(unwritable.unwrap_err().to_string().contains("missing"));
        plan.keep(folder.path(), || Ok(())).unwrap();
        let read = Plan::read(folder.path(), "one").unwrap();
        assert_eq!((&read, Span::from(&read.spans[0])), (&plan, span));
        let again = Plan { gone: 8, ..plan.clone() }.keep(folder.path(), || Ok(())).unwrap_err();
        assert!(again.to_string().contains("attrsync-replay-one.json"), "{again}");
        assert_eq!(Plan::read(folder.path(), "one").unwrap(), plan);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(Plan::read(folder.path(), "two").is_err());
    }

    #[test]
    fn a_plan_of_an_earlier_version_is_read_without_what_it_did_not_keep() {
        let folder = tempfile::tempdir().unwrap();
        let plan = r#"{
            "id": "old", "accepted": "a", "rejected": "r", "defaultType": null, "now": 0, "settings": ["now"], "settingsVersion": 7,
            "policyVersion": null, "spans": [], "gone": 0, "filter": {"organization": null, "eventType": null, "user": null}
        }"#;
        fs::write(Plan::path(folder.path(), "old"), plan).unwrap();
        let read = Plan::read(folder.path(), "old").unwrap();
        assert_eq!((read.group.as_str(), read.transactional_id_prefix.as_str(), read.beyond), ("", "", 0));
    }
}
