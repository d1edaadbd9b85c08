//! The settings as they were, change by change: what judged at a time, and what judged under a version.
//!
//! Each change costs what changed in it: its organizations are read as they were after it, and the snapshot shares all the others
//! with the one before.

use std::{collections::HashMap, sync::Arc};

use sqlx::{query_as, query_scalar};

use super::{
    Database, DatabaseError, DatabaseSource,
    follower::Follower,
    read::{Reader, SLICE, begin_reading},
    wait::{ANSWER, SLICE_ANSWER, block_on, within},
};
use crate::domain::{EventTime, Policy, Snapshot};

/// The settings as they were, change by change.
#[derive(Debug)]
pub struct Timeline {
    /// Since when, and what; in order.
    steps: Vec<(EventTime, Arc<Snapshot>)>,
    /// By version, the place of the first that had it.
    versions: HashMap<u64, usize>,
}

impl Timeline {
    /// Reads all changes there are: a record may be older than whatever chose it.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub fn load(source: &DatabaseSource, policy: &Policy) -> Result<Self, DatabaseError> {
        let mut timeline = Self { steps: Vec::new(), versions: HashMap::new() };
        block_on(timeline.read(source, policy))?;
        Ok(timeline)
    }

    /// The version of no settings at all. Only the policy has a part in it, under which all of them judge.
    #[must_use]
    pub fn policy_version(&self) -> Option<u64> {
        self.steps.first().map(|(_, none)| none.version())
    }

    /// The settings of this time; before the first change there are none.
    #[must_use]
    pub fn at(&self, time: EventTime) -> &Snapshot {
        let after = self.steps.partition_point(|(since, _)| *since <= time);
        // There always is one: what was before all changes.
        &self.steps[after.saturating_sub(1)].1
    }

    /// The settings of this version.
    #[must_use]
    pub fn of_version(&self, version: u64) -> Option<&Snapshot> {
        self.versions.get(&version).and_then(|place| self.steps.get(*place)).map(|(_, snapshot)| &**snapshot)
    }

    fn push(&mut self, since: EventTime, snapshot: Snapshot) {
        // Changes are numbered in the order of their commits, and the clock may have been set back between two.
        let since = self.steps.last().map_or(since, |(before, _)| since.max(*before));
        self.versions.entry(snapshot.version()).or_insert(self.steps.len());
        self.steps.push((since, Arc::new(snapshot)));
    }

    async fn read(&mut self, source: &DatabaseSource, policy: &Policy) -> Result<(), DatabaseError> {
        let mut database = Database::connect(&source.address).await?;
        let failed = database.failed("the history of the settings can't be read");
        within(ANSWER, begin_reading(&mut database.connection)).await.map_err(&failed)?;
        let mut follower = Follower::new(policy);
        let mut reader = Reader { connection: &mut database.connection, master_keys: &source.master_keys, at: Some(0) };
        let empty = Snapshot::new(0, policy.clone(), Vec::new());
        let mut now = step(&mut follower, &mut reader, (&[], &empty)).await.map_err(&failed)?;
        self.push(EventTime::from_millis(i64::MIN), now.clone());
        let sql = "select number, (extract(epoch from at) * 1000)::bigint from attrsync.revisions order by number";
        let revisions = within(SLICE_ANSWER, query_as(sql).fetch_all(&mut *reader.connection)).await;
        let revisions: Vec<(i64, i64)> = revisions.map_err(&failed)?;
        for (revision, at) in revisions {
            let sql =
                "select distinct organization_id from attrsync.history where revision = $1 order by organization_id";
            let changed = query_scalar(sql).bind(revision).fetch_all(&mut *reader.connection);
            let changed: Vec<i64> = within(SLICE_ANSWER, changed).await.map_err(&failed)?;
            reader.at = Some(revision);
            now = step(&mut follower, &mut reader, (&changed, &now)).await.map_err(&failed)?;
            self.push(EventTime::from_millis(at), now.clone());
        }
        database.close().await;
        Ok(())
    }
}

/// The snapshot once these organizations are as the reader finds them.
async fn step(
    follower: &mut Follower,
    reader: &mut Reader<'_>,
    (ids, before): (&[i64], &Snapshot),
) -> sqlx::Result<Snapshot> {
    let mut read = Vec::new();
    for slice in ids.chunks(SLICE) {
        read.push((slice.to_vec(), within(SLICE_ANSWER, reader.read(slice)).await?));
    }
    Ok(follower.after(read, before).0)
}
