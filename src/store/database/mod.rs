//! Settings in PostgreSQL; the only SQL there is. Beside `migrations/`, where the tables and what guards them are.
//!
//! - [`migrate`] makes the tables.
//! - [`read`] makes documents of rows, as they are or as they were, and [`mod@write`] rows of documents.
//! - [`plan`] compares a file with the database and writes the difference; [`edit`] changes one organization. Both read, check
//!   and write the very documents that a settings file holds, so that there is one set of rules.
//! - [`timeline`] makes the settings as they were, change by change.
//! - [`follow`] keeps a worker's snapshot up to date.
//! - [`history`] tells who changed what, when and why; [`reseal`] changes the master key under which secrets are sealed.
//!
//! Whatever goes wrong is told without a value of a row: a message of PostgreSQL names tables and constraints.

mod edit;
pub(super) mod follow;
mod history;
mod migrate;
mod plan;
mod read;
mod reseal;
mod timeline;
mod write;

use std::{fmt, str::FromStr, time::Duration};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

pub use self::{
    edit::{Edit, KeyKind},
    history::{Entry, Revision},
    migrate::{MigrationStatus, ROLES},
    plan::{Change, Plan, Removal},
    reseal::Resealed,
    timeline::Timeline,
};
use super::problem::Problem;
use crate::domain::EventTime;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// Where a database is, and how to log in. It never prints the login.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    url: String,
    place: String,
}

impl Address {
    /// The address of a URL.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(url: &str) -> Result<Self, DatabaseError> {
        let options = PgConnectOptions::from_str(url).map_err(|_| DatabaseError::Url)?;
        let database = options.get_database().unwrap_or_default();
        let place = format!("postgres://{}:{}/{database}", options.get_host(), options.get_port());
        Ok(Self { url: url.to_owned(), place })
    }

    fn options(&self) -> Result<PgConnectOptions, DatabaseError> {
        let options = PgConnectOptions::from_str(&self.url).map_err(|_| DatabaseError::Url)?;
        Ok(options.application_name("attrsync"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

/// Who changes settings, and why. Both are kept for good.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// Why something in the database could not be done.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL is none.
    #[error(
        "the URL of the database can't be read; expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, where / ? # @ in a password \
         are written %2F %3F %23 %40"
    )]
    Url,
    /// No connection.
    #[error("the database {place} can't be reached: {reason}")]
    Unreachable {
        /// Where.
        place: String,
        /// What the system or the server says.
        reason: String,
    },
    /// The tables are missing, or older than this program.
    #[error("the database {place} has no tables for this version of attrsync; run `attrsync migrate`")]
    NotMigrated {
        /// Where.
        place: String,
    },
    /// The role lacks a privilege.
    #[error("{doing}: {reason}; `attrsync migrate roles` prints the roles and what each is for")]
    NotAllowed {
        /// What was tried.
        doing: &'static str,
        /// What the server says.
        reason: String,
    },
    /// Everything else that PostgreSQL or the connection to it says.
    #[error("{doing}: {reason}")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// What it says.
        reason: String,
    },
    /// A migration can't be applied.
    #[error("the tables can't be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Somebody else was faster.
    #[error(
        "changed since revision {since}: {}; look at it with `attrsync settings history`, and plan anew",
        .organizations.join(", ")
    )]
    Conflict {
        /// The revision that the change is based on.
        since: i64,
        /// The organizations that changed meanwhile.
        organizations: Vec<String>,
    },
    /// There is no such organization, key or attribute, or there is one already.
    #[error("{0}")]
    Refused(String),
    /// What is to be written is wrong.
    #[error("{}", super::listed(.what, .problems))]
    Broken {
        /// What is wrong.
        what: String,
        /// Everything that is wrong with it.
        problems: Vec<Problem>,
    },
}

/// A connection to the database of settings.
pub struct Database {
    connection: PgConnection,
    address: Address,
}

impl Database {
    /// Connects.
    ///
    /// # Errors
    /// When nobody answers, or the login is refused.
    pub async fn connect(address: &Address) -> Result<Self, DatabaseError> {
        let unreachable = |reason: String| DatabaseError::Unreachable { place: address.place.clone(), reason };
        let options = address.options()?;
        let connecting = PgConnection::connect_with(&options);
        let connection = tokio::time::timeout(CONNECT, connecting)
            .await
            .map_err(|_| unreachable(format!("no answer within {} s", CONNECT.as_secs())))?
            .map_err(|error| unreachable(told(&error)))?;
        Ok(Self { connection, address: address.clone() })
    }

    /// Ends the connection in good order.
    pub async fn close(self) {
        // A connection that can't be ended in good order ends with its socket.
        let _ = self.connection.close().await;
    }

    /// What an error means, told by what was tried.
    fn failed(&self, doing: &'static str) -> impl Fn(sqlx::Error) -> DatabaseError + use<> {
        let place = self.address.place.clone();
        move |error| {
            let reason = told(&error);
            match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
                Some("42P01" | "3F000" | "42883" | "42703") => DatabaseError::NotMigrated { place: place.clone() },
                Some("42501") => DatabaseError::NotAllowed { doing, reason },
                _ => DatabaseError::Failed { doing, reason },
            }
        }
    }
}

/// What PostgreSQL says without its detail, which quotes rows.
fn told(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Milliseconds of a timestamp column, in SQL.
fn time(millis: Option<i64>) -> Option<EventTime> {
    millis.map(EventTime::from_millis)
}
