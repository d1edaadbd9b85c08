//! What the tests share: a database of their own, and the binary with a configuration that names it.

use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use attrsync::{
    domain::Policy,
    store::{
        Address, Author, Database, DatabaseSource, Edit, FileSettings, MasterKeys, Settings, SettingsError, Source,
    },
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::binary::program;

/// What most tests wait for at most. Generous: the machine may be busy with other tests.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// A master key, and another.
pub(crate) const MASTER: &str = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=";
pub(crate) const OTHER_MASTER: &str = "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI=";

/// Roles belong to the whole server: whoever makes them does it alone.
static ROLES: Mutex<()> = Mutex::new(());

/// A database of one test, its tables made.
pub(crate) struct Base {
    pub(crate) url: String,
    server: String,
    name: String,
    folder: tempfile::TempDir,
}

/// Runs a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Waits until `holds`, and fails with `what` after the deadline.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < SOON, "not within {SOON:?}: {what}");
        thread::park_timeout(Duration::from_millis(10));
    }
}

pub(crate) fn server() -> String {
    std::env::var("ATTRSYNC_TEST_POSTGRES").expect(
        "ATTRSYNC_TEST_POSTGRES names a PostgreSQL: scripts/services up postgres && eval \"$(scripts/services env postgres)\"",
    )
}

/// Master keys of these ids; the last one seals.
pub(crate) fn master_keys(keys: &[(&str, &str)]) -> MasterKeys {
    let all: BTreeMap<_, _> = keys.iter().map(|(id, key)| ((*id).to_owned(), (*key).to_owned())).collect();
    MasterKeys::new(&all, keys.last().map_or("", |(id, _)| id)).unwrap()
}

impl Base {
    /// A database without tables.
    pub(crate) fn empty(test: &str) -> Self {
        Self::empty_on(&server(), test)
    }

    /// A database without tables, on this server.
    fn empty_on(server: &str, test: &str) -> Self {
        let name = format!("{test}_{:x}", jiff::Timestamp::now().as_microsecond());
        try_run(server, &format!("create database {name}")).unwrap();
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        Self { url, server: server.to_owned(), name, folder: tempfile::tempdir().unwrap() }
    }

    /// A database with tables.
    pub(crate) fn new(test: &str) -> Self {
        Self::on(&server(), test)
    }

    /// A database with tables, on this server.
    pub(crate) fn on(server: &str, test: &str) -> Self {
        let base = Self::empty_on(server, test);
        block_on(async { base.connect().await.migrate().await.unwrap() });
        base
    }

    /// Makes the three roles, or finds them there.
    pub(crate) fn make_roles(&self) {
        let roles = self.attrsync(&["migrate", "roles"]).well();
        let _alone = ROLES.lock().unwrap_or_else(PoisonError::into_inner);
        self.sql(&roles).unwrap();
    }

    pub(crate) fn address(&self) -> Address {
        Address::new(&self.url).unwrap()
    }

    pub(crate) async fn connect(&self) -> Database {
        Database::connect(&self.address()).await.unwrap()
    }

    /// Runs SQL; what PostgreSQL says where it refuses.
    pub(crate) fn sql(&self, sql: &str) -> Result<(), String> {
        try_run(&self.url, sql)
    }

    /// One value of one row.
    pub(crate) fn value<T>(&self, sql: &str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        block_on(async {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.unwrap()
        })
    }

    /// The same database with another login.
    pub(crate) fn as_user(&self, user: &str, password: &str) -> String {
        let (_, host) = self.url.rsplit_once('@').unwrap();
        format!("postgres://{user}:{password}@{host}")
    }

    /// A settings file.
    pub(crate) fn file(&self, text: &str) -> std::path::PathBuf {
        let path = self.folder.path().join("settings.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes a settings file into the database.
    pub(crate) fn apply(&self, text: &str, keys: &MasterKeys) -> attrsync::store::Plan {
        let file = FileSettings::read(&self.file(text)).unwrap();
        let (author, policy) = (author("a test applies"), Policy::default());
        block_on(async {
            let edit = edit(&author, &policy, keys);
            self.connect().await.apply(&edit, &file, attrsync::store::Removal::Keep).await.unwrap()
        })
    }

    /// Where a worker finds the settings.
    pub(crate) fn source(&self, keys: MasterKeys) -> DatabaseSource {
        DatabaseSource {
            address: self.address(),
            master_keys: Arc::new(keys),
            max_staleness: Duration::from_secs(300),
            at: None,
        }
    }

    pub(crate) fn load(&self, keys: MasterKeys) -> Result<Settings, SettingsError> {
        Settings::load(Source::Database(self.source(keys)), Policy::default())
    }

    /// The binary, told of this database.
    pub(crate) fn attrsync(&self, line: &[&str]) -> Told {
        self.attrsync_with(line, "")
    }

    /// The binary with a text on standard input.
    pub(crate) fn attrsync_with(&self, line: &[&str], input: &str) -> Told {
        let mut child = self.command(line).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Told::of(&child.wait_with_output().unwrap())
    }

    pub(crate) fn command(&self, line: &[&str]) -> Command {
        let mut command = program();
        command.env("ATTRSYNC__SETTINGS__SOURCE", &self.url).env("TEST_MASTER", MASTER);
        command.env("ATTRSYNC__SETTINGS__MASTER_KEYS__M__ENV", "TEST_MASTER");
        command.args(line).current_dir(self.folder());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        // Left behind where it can't be dropped; nobody uses it again.
        let _ = try_run(&self.server, &format!("drop database {} with (force)", self.name));
    }
}

/// Runs SQL with this login.
pub(crate) fn try_run(url: &str, sql: &str) -> Result<(), String> {
    block_on(async {
        let mut connection = PgConnection::connect(url).await.map_err(|error| error.to_string())?;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
        done.map(drop).map_err(|error| error.to_string())
    })
}

/// Who changes something in a test, and why.
pub(crate) fn author(reason: &str) -> Author {
    Author { actor: "tester".to_owned(), reason: reason.to_owned() }
}

pub(crate) fn edit<'e>(author: &'e Author, policy: &'e Policy, master_keys: &'e MasterKeys) -> Edit<'e> {
    Edit { author, policy, master_keys, since: None }
}

/// What a process told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// It went well; what it printed.
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// What it printed as JSON.
    pub(crate) fn json(self) -> serde_json::Value {
        let out = self.well();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }
}
