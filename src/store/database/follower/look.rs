//! A look for what changed after what was read last. Nothing is missed, whatever was lost in between.

use std::time::{Duration, Instant};

use sqlx::query_scalar;

use super::{AGAIN, Follower, Found, State};
use crate::{
    domain::Snapshot,
    store::database::{
        Database, DatabaseError, DatabaseSource,
        listen::ANEW,
        read::{Mark, Reader, SLICE, begin_reading, end_reading},
        wait::{ANSWER, SLICE_ANSWER, within},
    },
};

impl Follower {
    /// Asks for what changed since the last look; the snapshot after it, if anything did.
    pub(in crate::store::database) async fn look(
        &mut self,
        source: &DatabaseSource,
        database: &mut Database,
        now: &Snapshot,
    ) -> Result<Option<(Snapshot, Found)>, DatabaseError> {
        let failed = database.failed("changes of the settings can't be read");
        within(ANSWER, begin_reading(&mut database.connection)).await.map_err(&failed)?;
        let mark = within(ANSWER, Mark::latest(&mut database.connection)).await.map_err(&failed)?;
        let mut changed = if mark == self.mark { Vec::new() } else { self.changed(mark, source, database).await? };
        changed.sort_unstable();
        let again = self.set_apart();
        let mut reader = Reader { connection: &mut database.connection, master_keys: &source.master_keys, at: None };
        let mut read = Vec::new();
        for slice in changed.chunks(SLICE) {
            read.push((slice.to_vec(), within(SLICE_ANSWER, reader.read(slice)).await.map_err(&failed)?));
        }
        if !again.is_empty() {
            let mut mended = within(SLICE_ANSWER, reader.read(&again)).await.map_err(&failed)?;
            // What still doesn't open stays as it is, without another word; what changed was read just now.
            mended.retain(|stored| stored.problems.is_empty() && changed.binary_search(&stored.id).is_err());
            read.push((mended.iter().map(|stored| stored.id).collect(), mended));
        }
        within(ANSWER, end_reading(&mut database.connection)).await.map_err(&failed)?;
        // From here on nothing fails: either all of it is taken in, or nothing was.
        self.mark = mark;
        self.again = again.last().map_or(self.again, |last| (Instant::now() + AGAIN, *last));
        if read.iter().all(|(ids, _)| ids.is_empty()) {
            return Ok(None);
        }
        let newer = self.after(read, now);
        if again.iter().any(|id| self.held.get(id).is_some_and(|held| matches!(held.state, State::Ready(_)))) {
            // Where one was mended, more may be.
            self.again.0 = Instant::now();
        }
        Ok(Some(newer))
    }

    /// Those that can't be used, where it is time to read them once more.
    fn set_apart(&self) -> Vec<i64> {
        let (due, last) = self.again;
        if self.unusable.slugs.is_empty() || Instant::now() < due {
            return Vec::new();
        }
        let unusable = self.held.iter().filter(|(_, held)| matches!(held.state, State::Unusable { .. }));
        in_turn(unusable.map(|(id, _)| *id).collect(), last)
    }

    /// For how long nobody has to look, unless something is told.
    pub(in crate::store::database) fn rest(&self, every: Duration) -> Duration {
        let again = if self.unusable.slugs.is_empty() { every } else { AGAIN };
        every.min(again).min(ANEW)
    }

    /// The organizations that changed between what was read last and this mark; all, where the database doesn't remember
    /// what was read.
    async fn changed(
        &self,
        mark: Mark,
        source: &DatabaseSource,
        database: &mut Database,
    ) -> Result<Vec<i64>, DatabaseError> {
        let failed = database.failed("changes of the settings can't be read");
        let goes_on = mark.revision > self.mark.revision
            && within(ANSWER, self.mark.still_holds(&mut database.connection)).await.map_err(&failed)?;
        if goes_on {
            let sql = "select organization_id from attrsync.versions where revision > $1";
            let changed = query_scalar(sql).bind(self.mark.revision).fetch_all(&mut database.connection);
            return within(SLICE_ANSWER, changed).await.map_err(failed);
        }
        tracing::warn!(
            read = self.mark.revision,
            found = mark.revision,
            "the database of settings has another history than the one that was read; everything is read anew"
        );
        let mut reader = Reader { connection: &mut database.connection, master_keys: &source.master_keys, at: None };
        let mut ids = within(SLICE_ANSWER, reader.all()).await.map_err(failed)?;
        ids.extend(self.held.keys());
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}

/// A slice of these, each as often as all others: it begins after the last one that was in its turn.
fn in_turn(mut ids: Vec<i64>, last: i64) -> Vec<i64> {
    ids.sort_unstable_by_key(|id| (*id <= last, *id));
    ids.truncate(SLICE);
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_organization_that_can_not_be_used_has_its_turn() {
        let size = i64::try_from(SLICE).unwrap();
        let all: Vec<_> = (1..=size + 2).rev().collect();
        let first = in_turn(all.clone(), i64::MIN);
        assert_eq!((first.first(), first.last(), first.len()), (Some(&1), Some(&size), SLICE));
        let second = in_turn(all, size);
        assert_eq!(second.get(..3), Some(&[size + 1, size + 2, 1][..]));
        assert_eq!(second.last(), Some(&(size - 2)));
        assert_eq!(in_turn(vec![7], 7), [7]);
    }
}
