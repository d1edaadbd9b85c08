//! A worker's settings: read once, then kept up to date. PostgreSQL tells of each change (`notify`), a look every so often
//! catches what it couldn't tell, and both end in the same question: which organizations changed after the revision that was
//! read last? So nothing is missed whatever was lost in between, and one organization that changed costs one organization.
//!
//! An organization that can't be used is set apart: it never goes on with what it was before, since that may hold a key which
//! has been revoked.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc::sync_channel},
    time::Duration,
};

use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolOptions},
    query, query_scalar,
};

use super::{
    Address, Database, DatabaseError,
    read::{Mark, Reader, SLICE, Stored},
};
use crate::{
    domain::{
        EventTime, Policy, Snapshot,
        snapshot::{Difference, Organization, Pool, Unusable},
    },
    store::{
        compile::{One, compile_one},
        effective::Sum,
        problem::Problem,
        seal::MasterKeys,
        secret::Vault,
    },
};

/// The channel that the tables' triggers notify.
const CHANNEL: &str = "attrsync_settings";
/// How long a small question may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a slice of organizations may take.
const SLICE_ANSWER: Duration = Duration::from_secs(30);
/// Slices that were read and wait to be compiled.
const WAITING: usize = 2;
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

/// The connections of a worker: one that is told of changes, one that asks.
struct Connected {
    listener: PgListener,
    database: Database,
    // The listener's connection belongs to it.
    _pool: PgPool,
}

impl Follower {
    pub(super) fn new(policy: &Policy) -> Self {
        let (mark, held, unusable, sum, pool) = Default::default();
        Self { policy: policy.clone(), mark, held, unusable, sum, pool }
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
        begin(database).await?;
        let mark = within(ANSWER, Mark::latest(&mut database.connection)).await.map_err(&failed)?;
        if mark == self.mark {
            within(ANSWER, query("rollback").execute(&mut database.connection)).await.map_err(&failed)?;
            return Ok(None);
        }
        let ids = self.changed(mark, source, database).await?;
        let mut read = Vec::new();
        for slice in ids.chunks(SLICE) {
            let mut reader =
                Reader { connection: &mut database.connection, master_keys: &source.master_keys, at: None };
            read.push((slice.to_vec(), within(SLICE_ANSWER, reader.read(slice)).await.map_err(&failed)?));
        }
        within(ANSWER, query("rollback").execute(&mut database.connection)).await.map_err(&failed)?;
        // From here on nothing fails: either all of it is taken in, or nothing was.
        self.mark = mark;
        Ok(Some(self.after(read, now)))
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
        let mut connected: Option<Connected> = None;
        while !following.ended() {
            let now = following.begin();
            let looked = async {
                let connected = match &mut connected {
                    Some(connected) => connected,
                    none => none.insert(Connected::new(source).await?),
                };
                follower.look(source, &mut connected.database, &now).await
            };
            let looked = looked.await;
            if looked.is_err() {
                connected = None;
            }
            following.end(looked);
            tokio::select! {
                told = told(&mut connected) => if told.is_err() { connected = None },
                () = following.wanted() => {}
                () = tokio::time::sleep(every) => {}
            }
        }
        Ok(())
    })
}

/// Waits for PostgreSQL to tell of a change; for ever, where no connection is there to tell.
async fn told(connected: &mut Option<Connected>) -> sqlx::Result<()> {
    match connected {
        Some(connected) => {
            connected.listener.recv().await?;
            // One look answers all of them.
            while connected.listener.next_buffered().is_some() {}
            Ok(())
        }
        None => std::future::pending().await,
    }
}

impl Connected {
    async fn new(source: &DatabaseSource) -> Result<Self, DatabaseError> {
        let database = Database::connect(&source.address).await?;
        let failed = database.failed("changes of the settings can't be listened to");
        let options = source.address.options()?;
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ANSWER).connect_lazy_with(options);
        let mut listener = within(ANSWER, PgListener::connect_with(&pool)).await.map_err(&failed)?;
        within(ANSWER, listener.listen(CHANNEL)).await.map_err(&failed)?;
        Ok(Self { listener, database, _pool: pool })
    }
}

/// Everything, slice by slice, of one moment.
async fn read_all(source: &DatabaseSource, mut take: impl FnMut(Vec<i64>, Vec<Stored>)) -> Result<Mark, DatabaseError> {
    let mut database = Database::connect(&source.address).await?;
    let failed = database.failed("the settings can't be read");
    begin(&mut database).await?;
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

pub(super) async fn begin(database: &mut Database) -> Result<(), DatabaseError> {
    let failed = database.failed("the settings can't be read");
    let sql = "begin isolation level repeatable read read only";
    within(ANSWER, query(sql).execute(&mut database.connection)).await.map_err(failed)?;
    Ok(())
}

/// A connection whose other end is gone without a word would else be waited for.
async fn within<T>(limit: Duration, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(limit, asked).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Runs to the end on this thread.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let failed = |error: std::io::Error| DatabaseError::Failed {
        doing: "the system refuses what it takes to connect",
        reason: error.to_string(),
    };
    runtime.map_err(failed)?.block_on(future)
}
