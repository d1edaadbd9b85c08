//! A worker's settings, kept up to date. PostgreSQL tells of each change ([`Ears`]), a look every so often catches what it
//! couldn't tell, and both end in the same question: which organizations changed after the revision that was read last?

use std::{sync::Arc, time::Duration};

use super::{
    Database, DatabaseError, DatabaseSource,
    follower::{Follower, Found},
    listen::Ears,
    wait::block_on,
};
use crate::domain::Snapshot;

/// What a worker does with what it finds.
pub(in crate::store) trait Following {
    /// A look begins; the snapshot that judges.
    fn begin(&mut self) -> Arc<Snapshot>;
    /// It has ended: with a newer snapshot, or the same, or an error.
    fn end(&mut self, looked: Result<Option<(Snapshot, Found)>, DatabaseError>);
    /// Resolves when somebody wants a look, or the end.
    fn wanted(&self) -> impl Future<Output = ()>;
    /// Resolves when it is time to end.
    fn over(&self) -> impl Future<Output = ()>;
    /// Whether it is time to end.
    fn ended(&self) -> bool;
}

/// Follows the database until the end.
pub(in crate::store) fn follow(
    mut follower: Follower,
    source: &DatabaseSource,
    every: Duration,
    following: &mut impl Following,
) -> Result<(), DatabaseError> {
    block_on(async move {
        let (mut connected, mut ears): (Option<Database>, Ears) = Default::default();
        while !following.ended() {
            let now = following.begin();
            let looked = async {
                let database = match &mut connected {
                    Some(database) => database,
                    none => none.insert(Database::connect(&source.address).await?),
                };
                ears.listen(source).await;
                let before = follower.mark();
                let looked = follower.look(source, database, &now).await;
                ears.looked(follower.mark() != before);
                looked
            };
            let looked = tokio::select! {
                looked = looked => looked,
                // A database that doesn't answer is not waited for.
                () = following.over() => break,
            };
            if looked.is_err() {
                connected = None;
                ears.lose();
            }
            following.end(looked);
            tokio::select! {
                () = ears.told() => {}
                () = following.wanted() => {}
                () = tokio::time::sleep(follower.rest(every)) => {}
            }
        }
        Ok(())
    })
}
