//! Settings in PostgreSQL; the only SQL there is. Beside `migrations/`, where the tables and what guards them are.
//!
//! - [`migrate`] makes the tables.
//! - [`read`] makes documents of rows, as they are or as they were, and [`mod@write`] rows of documents.
//! - [`plan`] compares a file with the database and writes the difference; [`edit`] changes one organization. Both read, check
//!   and write the very documents that a settings file holds, so that there is one set of rules.
//!   [`revoked`] sees to it that a file which doesn't know of a revocation takes none back.
//! - [`names`] lists organizations.
//! - [`timeline`] makes the settings as they were, change by change.
//! - [`follow`] keeps a worker's snapshot up to date, which a [`follower`] makes; [`listen`] is told of changes.
//! - [`history`] tells who changed what, when and why; [`reseal`] changes the master key under which secrets are sealed.
//!
//! Whatever goes wrong is told without a value of a row, and without who logged in: a message of PostgreSQL names tables and
//! constraints.

mod edit;
pub(super) mod follow;
pub(super) mod follower;
mod history;
mod listen;
mod migrate;
mod names;
mod plan;
mod read;
mod reseal;
mod revoked;
mod source;
mod timeline;
mod wait;
mod write;

use std::{fmt, io::ErrorKind, net::IpAddr, str::FromStr, time::Duration};

use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};

pub use self::{
    edit::Edit,
    history::{Entry, Revision},
    migrate::{MigrationStatus, ROLES},
    plan::{Change, Export, Plan, Removal},
    reseal::Resealed,
    source::DatabaseSource,
    timeline::Timeline,
};
use super::problem::{Place, Problem, listed};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a change waits for the one before it to end, as PostgreSQL reads it.
const TURN: &str = "10s";

/// How long a change may ask nothing of PostgreSQL before it is taken back, as PostgreSQL reads it: a client that is gone without a
/// word would else keep everybody from changing anything. All that a large file says is checked within it.
const SILENCE: &str = "2min";

/// Where a database is, and how to log in. It never prints the login.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    url: String,
    place: String,
    /// Whether it is reached through a network, where nobody checks who answers.
    open: bool,
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
        Ok(Self { url: url.to_owned(), place, open: is_open(&options) })
    }

    /// What is doubtful in the way to the database. Who stands in between, and isn't kept out by TLS that checks the server's
    /// certificate, reads the login and answers in the database's place: locks, enforcement and public keys are not sealed.
    #[must_use]
    pub fn doubt(&self) -> Option<Problem> {
        let message = format!(
            "nothing checks that it is {self} that answers: who stands in between may read the password and change settings; end \
             the URL with ?sslmode=verify-full, and with &sslrootcert=FILE where the authority is your own"
        );
        self.open.then(|| Problem::at(&Place::document().field("settings.source"), message))
    }

    fn options(&self) -> Result<PgConnectOptions, DatabaseError> {
        let options = PgConnectOptions::from_str(&self.url).map_err(|_| DatabaseError::Url)?;
        Ok(options.application_name("attrsync"))
    }

    /// What an error means, told by what was tried.
    fn failed(&self, doing: &'static str) -> impl Fn(sqlx::Error) -> DatabaseError + use<> {
        let place = self.place.clone();
        move |error| {
            let reason = told(&error);
            match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
                Some("42P01" | "3F000" | "42883" | "42703") => DatabaseError::NotMigrated { place: place.clone() },
                Some("42501") => DatabaseError::NotAllowed { doing, reason },
                Some("55P03") => DatabaseError::Busy,
                _ => DatabaseError::Failed { doing, reason },
            }
        }
    }
}

/// Whether the connection leaves this machine without a look at whose certificate the server has. `verify-ca` looks at who signed it,
/// which without a CA of one's own is anybody whom everybody trusts.
fn is_open(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let stays = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address| address.is_loopback());
    !stays && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull)
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
    /// Somebody else is changing settings, and doesn't come to an end.
    #[error(
        "another change of the settings is under way and has not ended for {}; `select pid, usename, application_name, xact_start from \
         pg_stat_activity where pid in (select pid from pg_locks where locktype = 'advisory' and granted)` says whose it is",
        TURN
    )]
    Busy,
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
    #[error("{}", listed(.what, .problems))]
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
        self.address.failed(doing)
    }
}

/// What PostgreSQL says without its detail, which quotes rows, and without who logged in.
fn told(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => {
            let instead = error.code().and_then(|code| of_login(&code));
            instead.unwrap_or_else(|| error.message()).to_owned()
        }
        sqlx::Error::Io(error) if error.kind() == ErrorKind::NotFound => {
            format!("a file that the URL names (sslrootcert, a key, or the socket) isn't there: {error}")
        }
        sqlx::Error::Io(error) => of_certificate(error.to_string()),
        other => of_certificate(other.to_string()),
    }
}

/// The text, and what to do where it says that the server's certificate is refused.
fn of_certificate(text: String) -> String {
    let ways_out = [
        ("UnknownIssuer", "; name the authority that signed the server's certificate by sslrootcert=FILE in the URL"),
        ("BadSignature", "; another authority than the one of sslrootcert signed the server's certificate"),
        ("not valid for name", "; the server's certificate is for another name than that of the URL"),
        (
            "CaUsedAsEndEntity",
            "; the server shows an authority's certificate as its own: give it one that this one signed",
        ),
    ];
    let fits = ways_out.into_iter().find(|(what, _)| text.contains(what));
    let way_out = fits.filter(|_| text.contains("certificate")).map_or("", |(_, way_out)| way_out);
    text + way_out
}

/// What stands for a message that names the user.
fn of_login(code: &str) -> Option<&'static str> {
    match code {
        "28P01" => Some("the login is refused: there is no such user, or its password is another"),
        "53300" => Some("no connection is left for this login"),
        _ if code.starts_with("28") => {
            Some("the login is refused: there is no such user, or pg_hba.conf lets nobody in like this")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_to_the_database_that_anybody_may_stand_in_is_doubtful() {
        let doubt = |url: &str| Address::new(url).unwrap().doubt().map(|doubt| doubt.to_string());
        for url in [
            "postgres://ada:geheim@db/attrsync",
            "postgres://ada:geheim@10.0.0.7:6432/attrsync?sslmode=prefer",
            "postgres://ada:geheim@db/attrsync?sslmode=require&sslrootcert=ca.pem",
            "postgres://ada:geheim@db/attrsync?sslmode=verify-ca",
        ] {
            let doubt = doubt(url).unwrap_or_default();
            assert!(doubt.contains("settings.source: ") && doubt.contains("sslmode=verify-full"), "{url}: {doubt}");
            assert!(!doubt.contains("geheim") && !doubt.contains("ada"), "{doubt}");
        }
        for url in [
            "postgres://ada:geheim@db/attrsync?sslmode=verify-full&sslrootcert=ca.pem",
            "postgres://ada:geheim@127.0.0.1/attrsync",
            "postgres://ada:geheim@localhost/attrsync",
            "postgres://ada:geheim@[::1]/attrsync",
            "postgres://ada@%2Fvar%2Frun%2Fpostgresql/attrsync",
            "postgres:///attrsync?host=/var/run/postgresql",
        ] {
            assert_eq!(doubt(url), None, "{url}");
        }
    }

    #[test]
    fn what_is_told_of_a_login_names_no_user() {
        for code in ["28P01", "28000"] {
            assert!(of_login(code).is_some_and(|told| told.starts_with("the login is refused: ")), "{code}");
        }
        assert!(of_login("53300").is_some());
        assert_eq!(of_login("42P01"), None);
    }
}
