//! A worker's settings: read once, then kept up to date. PostgreSQL tells of each change ([`Ears`]), a look every so often
//! catches what it couldn't tell, and both end in the same question: which organizations changed after the revision that was
//! read last? So nothing is missed whatever was lost in between, and one organization that changed costs one organization.
//!
//! An organization that can't be used is set apart: it never goes on with what it was before, since that may hold a key which
//! has been revoked. It is read once more every so often, since what mends it may be no change of settings: a secret that is
//! sealed anew.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, mpsc::sync_channel},
    time::{Duration, Instant},
};

use sqlx::query_scalar;

use super::{
    Address, Database, DatabaseError,
    listen::{ANEW, Ears},
    read::{Mark, Reader, SLICE, Stored, begin_reading, end_reading},
};
use crate::{
    domain::{
        EventTime, Policy, Snapshot,
        snapshot::{Difference, Organization, Pool, Unusable},
    },
    store::{
        compile::{One, compile_one},
        problem::Problem,
        seal::MasterKeys,
        secret::Vault,
        version::Sum,
    },
};

/// How long a small question may take.
pub(super) const ANSWER: Duration = Duration::from_secs(5);
/// How long a slice of organizations may take.
const SLICE_ANSWER: Duration = Duration::from_secs(30);
/// Slices that were read and wait to be compiled.
const WAITING: usize = 2;
/// How often organizations that can't be used are read once more; as many at a time as a slice has.
const AGAIN: Duration = Duration::from_secs(10);
/// More changes and warnings than this are not told one by one.
const TOLD: usize = 20;

/// Where settings are, and what it takes to read them.
#[derive(Clone)]
pub struct DatabaseSource {
    /// The database.
    pub address: Address,
    /// What secrets are opened with.
    pub master_keys: Arc<MasterKeys>,
    /// For how long what was read holds without a look.
    pub max_staleness: Duration,
    /// As the settings were at this time; `None`: as they are.
    pub at: Option<EventTime>,
}

/// What a look found.
#[derive(Debug, Default)]
pub(in crate::store) struct Found {
    /// What changed, by organization.
    pub(in crate::store) changes: Vec<String>,
    /// What is doubtful.
    pub(in crate::store) warnings: Vec<Problem>,
    /// What keeps organizations from being used.
    pub(in crate::store) unusable: Vec<Problem>,
}

/// What is held of the database.
pub(in crate::store) struct Follower {
    policy: Policy,
    mark: Mark,
    held: HashMap<i64, Held>,
    unusable: Unusable,
    sum: Sum,
    pool: Pool,
    /// When organizations that can't be used are read once more, and the last one that was.
    again: (Instant, i64),
}

/// An organization as it was read last.
struct Held {
    sum: Sum,
    state: State,
}

enum State {
    Ready(Arc<Organization>),
    Unusable { slug: Box<str>, app_id: Option<Box<str>> },
}

impl Follower {
    pub(super) fn new(policy: &Policy) -> Self {
        let (mark, held, unusable, sum, pool) = Default::default();
        Self { policy: policy.clone(), mark, held, unusable, sum, pool, again: (Instant::now() + AGAIN, i64::MIN) }
    }

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

    fn version(&self) -> u64 {
        self.sum.version(&self.policy)
    }

    /// Takes in the organizations of these numbers as they are now; what isn't among them is gone.
    fn take(&mut self, ids: &[i64], stored: Vec<Stored>, (difference, found): (&mut Difference, &mut Found)) {
        let mut before = HashMap::new();
        for id in ids {
            if let Some(held) = self.held.remove(id) {
                self.sum = self.sum.minus(held.sum);
                before.insert(*id, self.forget(held.state, difference));
            }
        }
        for stored in stored {
            let (id, slug) = (stored.id, stored.organization.slug.clone());
            let word = match self.put(stored, difference, found) {
                false => "can't be used",
                true if before.remove(&id).is_some() => "changed",
                true => "added",
            };
            before.remove(&id);
            found.change(&slug, word);
        }
        for slug in before.into_values() {
            found.change(&slug, "removed");
        }
    }

    /// Takes an organization out; its slug.
    fn forget(&mut self, state: State, difference: &mut Difference) -> Box<str> {
        match state {
            State::Ready(organization) => {
                let slug = organization.slug.as_str().into();
                difference.out.push(organization);
                slug
            }
            State::Unusable { slug, app_id } => {
                self.unusable.slugs.remove(&slug);
                if let Some(app_id) = app_id {
                    self.unusable.app_ids.remove(&app_id);
                }
                slug
            }
        }
    }

    /// Takes an organization in; whether it can be used.
    fn put(&mut self, stored: Stored, difference: &mut Difference, found: &mut Found) -> bool {
        let Stored { id, organization, problems, .. } = stored;
        let names =
            (organization.slug.clone().into_boxed_str(), organization.app_id.clone().map(String::into_boxed_str));
        let compiled = if problems.is_empty() {
            compile_one(organization, &Vault::empty(), &self.policy, &mut self.pool)
        } else {
            Err(problems)
        };
        let usable = compiled.is_ok();
        let held = match compiled {
            Ok(One { ready, effective, warnings }) => {
                let ready = Arc::new(ready);
                found.warnings.extend(warnings);
                found.warnings.truncate(TOLD);
                difference.into.push(Arc::clone(&ready));
                Held { sum: Sum::of(&effective), state: State::Ready(ready) }
            }
            Err(problems) => {
                found.unusable.extend(first_of(problems));
                let (slug, app_id) = names;
                self.unusable.slugs.insert(slug.clone());
                self.unusable.app_ids.extend(app_id.clone());
                Held { sum: Sum::of_unusable(&slug), state: State::Unusable { slug, app_id } }
            }
        };
        self.sum = self.sum.plus(held.sum);
        self.held.insert(id, held);
        usable
    }

    /// Asks for what changed since the last look; the snapshot after it, if anything did.
    async fn look(
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
    fn rest(&self, every: Duration) -> Duration {
        let again = if self.unusable.slugs.is_empty() { every } else { AGAIN };
        every.min(again).min(ANEW)
    }

    /// The snapshot once what was read of these organizations is taken in.
    pub(super) fn after(&mut self, read: Vec<(Vec<i64>, Vec<Stored>)>, now: &Snapshot) -> (Snapshot, Found) {
        let (mut difference, mut found) = (Difference::default(), Found::default());
        for (slice, stored) in read {
            self.take(&slice, stored, (&mut difference, &mut found));
        }
        difference.unusable = self.unusable.clone();
        let newer = now.with(self.version(), difference);
        self.pool.tidy();
        (newer, found)
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

/// One line for an organization: the first thing that is wrong with it, and how much more.
fn first_of(problems: Vec<Problem>) -> Option<Problem> {
    let more = problems.len().saturating_sub(1);
    let mut first = problems.into_iter().next()?;
    if more > 0 {
        first.message += &format!("; and {more} more");
    }
    Some(first)
}

impl Found {
    fn change(&mut self, slug: &str, word: &str) {
        if self.changes.len() < TOLD {
            self.changes.push(format!("organization {} {word}", slug.escape_debug()));
        }
    }
}

/// What a worker does with what it finds.
pub(in crate::store) trait Following {
    /// A look begins; the snapshot that judges.
    fn begin(&self) -> Arc<Snapshot>;
    /// It has ended: with a newer snapshot, or the same, or an error.
    fn end(&self, looked: Result<Option<(Snapshot, Found)>, DatabaseError>);
    /// Resolves when somebody wants a look, or the end.
    fn wanted(&self) -> impl Future<Output = ()>;
    /// Whether it is time to end.
    fn ended(&self) -> bool;
}

/// Follows the database until the end.
pub(in crate::store) fn follow(
    mut follower: Follower,
    source: &DatabaseSource,
    every: Duration,
    following: &impl Following,
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
                follower.look(source, database, &now).await
            };
            let looked = looked.await;
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

/// A connection whose other end is gone without a word would else be waited for.
pub(super) async fn within<T>(limit: Duration, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| {
        let silence = format!("no answer within {} s", limit.as_secs());
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, silence)))
    })
}

/// Runs to the end on this thread.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let failed = |error: io::Error| DatabaseError::Failed {
        doing: "the system refuses what it takes to connect",
        reason: error.to_string(),
    };
    runtime.map_err(failed)?.block_on(future)
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

    #[test]
    fn a_question_without_an_answer_says_how_long_it_waited() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let asked = within(Duration::from_secs(1), std::future::pending::<sqlx::Result<()>>());
        let error = runtime.block_on(asked).unwrap_err();
        assert_eq!(super::super::told(&error), "no answer within 1 s");
    }
}
