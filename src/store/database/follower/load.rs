//! Everything, read once.

use std::sync::mpsc::sync_channel;

use super::{Follower, Found};
use crate::{
    domain::{Policy, Snapshot, snapshot::Difference},
    store::database::{
        Database, DatabaseError, DatabaseSource,
        read::{Mark, Reader, SLICE, Stored, begin_reading},
        wait::{ANSWER, SLICE_ANSWER, block_on, within},
    },
};

/// Slices that were read and wait to be compiled.
const WAITING: usize = 2;

impl Follower {
    /// Reads everything. What was read is compiled while the next is being read.
    pub(in crate::store) fn load(
        source: &DatabaseSource,
        policy: &Policy,
    ) -> Result<(Self, Snapshot, Found), DatabaseError> {
        let mut follower = Self::new(policy);
        let (mut difference, mut found) = (Difference::default(), Found::default());
        let (read, to_compile) = sync_channel::<(Vec<i64>, Vec<Stored>)>(WAITING);
        let mark = std::thread::scope(|scope| {
            let compiling = scope.spawn(|| {
                for (ids, stored) in to_compile {
                    follower.take(&ids, stored, (&mut difference, &mut found));
                }
            });
            let mark = block_on(read_all(source, |ids, stored| {
                // The other end is gone only if compiling panicked, which is told below.
                let _ = read.send((ids, stored));
            }));
            drop(read);
            if let Err(panic) = compiling.join() {
                std::panic::resume_unwind(panic);
            }
            mark
        })?;
        follower.mark = mark;
        difference.unusable = follower.unusable.clone();
        // Everything is new; what was added is no news.
        found.changes.clear();
        let snapshot = Snapshot::new(0, policy.clone(), Vec::new()).with(follower.version(), difference);
        Ok((follower, snapshot, found))
    }
}

/// Everything, slice by slice, of one moment.
async fn read_all(source: &DatabaseSource, mut take: impl FnMut(Vec<i64>, Vec<Stored>)) -> Result<Mark, DatabaseError> {
    let mut database = Database::connect(&source.address).await?;
    let failed = database.failed("the settings can't be read");
    within(ANSWER, begin_reading(&mut database.connection)).await.map_err(&failed)?;
    let mark = within(ANSWER, Mark::latest(&mut database.connection)).await.map_err(&failed)?;
    let at = match source.at {
        Some(at) => Some(within(ANSWER, Mark::revision_at(&mut database.connection, at)).await.map_err(&failed)?),
        None => None,
    };
    let mut reader = Reader { connection: &mut database.connection, master_keys: &source.master_keys, at };
    let ids = within(SLICE_ANSWER, reader.all()).await.map_err(&failed)?;
    for slice in ids.chunks(SLICE) {
        let stored = within(SLICE_ANSWER, reader.read(slice)).await.map_err(&failed)?;
        take(slice.to_vec(), stored);
    }
    database.close().await;
    Ok(mark)
}
