//! Rows to documents. What is read is what a settings file would say; a secret that doesn't open leaves a gap and a problem.

use std::collections::HashMap;

use serde::de::{DeserializeOwned, IntoDeserializer, value};
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow, query, query_as, query_scalar};

use crate::{
    domain::EventTime,
    store::{
        document::{Attribute, IdentitySecret, JwtKey, Membership, Organization, Token},
        key_kind::KeyKind,
        moment::Moment,
        problem::{Place, Problem},
        seal::{MasterKeys, Whose},
        secret::Secret,
    },
};

/// How many organizations are read at a time: what a first load holds in memory beside what it makes.
pub(super) const SLICE: usize = 1000;

/// An organization as it stands in the database.
#[derive(Debug)]
pub(in crate::store) struct Stored {
    /// Its number, which never changes.
    pub(in crate::store) id: i64,
    /// What it says. A secret that doesn't open is [`Secret::Stored`].
    pub(in crate::store) organization: Organization,
    /// The numbers of the secrets of its `jwt_keys`, in their order.
    pub(super) jwt_secrets: Vec<Option<i64>>,
    /// The numbers of its `identity_secrets`, in their order.
    pub(super) identity_secrets: Vec<Option<i64>>,
    /// What keeps it from being used.
    pub(in crate::store) problems: Vec<Problem>,
}

/// Begins to read: until it ends, everything is as it is now, whatever others change meanwhile.
pub(super) async fn begin_reading(connection: &mut PgConnection) -> sqlx::Result<()> {
    query("begin isolation level repeatable read read only").execute(connection).await?;
    Ok(())
}

/// Ends what [`begin_reading`] began; there is nothing to commit.
pub(super) async fn end_reading(connection: &mut PgConnection) -> sqlx::Result<()> {
    query("rollback").execute(connection).await?;
    Ok(())
}

/// A reader of organizations, as they are or as they were at a revision.
pub(super) struct Reader<'c> {
    pub(super) connection: &'c mut PgConnection,
    pub(super) master_keys: &'c MasterKeys,
    /// `None`: as they are.
    pub(super) at: Option<i64>,
}

impl Reader<'_> {
    /// The numbers of all organizations that aren't archived.
    pub(super) async fn all(&mut self) -> sqlx::Result<Vec<i64>> {
        let sql = format!("select id from {} where archived_at is null order by id", self.source("organizations"));
        let ids = query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *self.connection).await?;
        Ok(ids)
    }

    /// The numbers of those with these slugs.
    pub(super) async fn of_slugs(&mut self, slugs: &[String]) -> sqlx::Result<Vec<i64>> {
        let sql = format!(
            "select id from {} where slug = any($1) and archived_at is null order by id",
            self.source("organizations")
        );
        query_scalar(AssertSqlSafe(sql)).bind(slugs).fetch_all(&mut *self.connection).await
    }

    /// Those of these numbers that aren't archived.
    pub(super) async fn read(&mut self, ids: &[i64]) -> sqlx::Result<Vec<Stored>> {
        let mut stored = self.organizations(ids).await?;
        let places: HashMap<_, _> = stored.iter().enumerate().map(|(place, stored)| (stored.id, place)).collect();
        self.keys(ids, |id| places.get(&id).copied(), &mut stored).await?;
        self.attributes(ids, |id| places.get(&id).copied(), &mut stored).await?;
        Ok(stored)
    }

    /// A table as it is, or as it was.
    fn source(&self, table: &str) -> String {
        match self.at {
            None => format!("attrsync.{table}"),
            Some(revision) => format!("attrsync.{table}_at({revision})"),
        }
    }

    /// The same of the organizations of the first parameter: as it was, it is made of their history alone.
    fn source_of_some(&self, table: &str) -> String {
        match self.at {
            None => format!("attrsync.{table}"),
            Some(revision) => format!("attrsync.{table}_at({revision}, $1)"),
        }
    }

    async fn organizations(&mut self, ids: &[i64]) -> sqlx::Result<Vec<Stored>> {
        let sql = format!(
            "select id, slug, app_id, enforcement, on_rejected_attribute, require_expiry, max_age_s, audiences, issuers,
                    membership_locked, jwks
             from {} where id = any($1) and archived_at is null order by id",
            self.source_of_some("organizations")
        );
        let rows = query(AssertSqlSafe(sql)).bind(ids).fetch_all(&mut *self.connection).await?;
        rows.iter().map(organization).collect()
    }

    async fn keys(
        &mut self,
        ids: &[i64],
        place: impl Fn(i64) -> Option<usize>,
        stored: &mut [Stored],
    ) -> sqlx::Result<()> {
        let sql = format!(
            "select k.organization_id, k.kind, k.id, k.algorithm, k.public_key, k.secret_id, s.sealed, s.master_key, {}, {}, {}
             from {} k left join attrsync.secrets s on s.id = k.secret_id
             where k.organization_id = any($1) order by k.organization_id, k.kind desc, k.id",
            millis("k.valid_from"),
            millis("k.retired_at"),
            millis("k.revoked_at"),
            self.source_of_some("keys")
        );
        for row in query(AssertSqlSafe(sql)).bind(ids).fetch_all(&mut *self.connection).await? {
            if let Some(place) = place(row.try_get(0)?) {
                stored[place].add_key(&row, self.master_keys)?;
            }
        }
        Ok(())
    }

    async fn attributes(
        &mut self,
        ids: &[i64],
        place: impl Fn(i64) -> Option<usize>,
        stored: &mut [Stored],
    ) -> sqlx::Result<()> {
        let sql = format!(
            "select organization_id, owner, name, type, max_chars, options, locked, archived
             from {} where organization_id = any($1)",
            self.source_of_some("attributes")
        );
        for row in query(AssertSqlSafe(sql)).bind(ids).fetch_all(&mut *self.connection).await? {
            if let Some(place) = place(row.try_get(0)?) {
                stored[place].add_attribute(&row)?;
            }
        }
        Ok(())
    }
}

/// A time in milliseconds, as SQL. One that no settings file can say is the first or the last that it can: an infinite one has no
/// number, and would keep everybody else's keys from being read, too.
pub(super) fn millis(time: &str) -> String {
    format!(
        "case when {time} >= '10000-01-01 00:00:00+00' then '{}'::bigint when {time} < '0001-01-01 00:00:00+00' then '{}'::bigint
              else (extract(epoch from {time}) * 1000)::bigint end",
        i64::MAX,
        i64::MIN
    )
}

/// A value that the tables' own constraints don't allow.
fn impossible(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("a row holds {what} that this version of attrsync doesn't know").into())
}

/// What a column says in a word of the document. serde's own message would quote the word.
fn word<T: DeserializeOwned>(row: &PgRow, column: &str) -> sqlx::Result<T> {
    let word: value::StrDeserializer<'_, value::Error> = row.try_get::<&str, _>(column)?.into_deserializer();
    T::deserialize(word).map_err(|_| impossible(&format!("a value of {column}")))
}

fn organization(row: &PgRow) -> sqlx::Result<Stored> {
    let organization = Organization {
        slug: row.try_get(1)?,
        app_id: row.try_get(2)?,
        enforcement: word(row, "enforcement")?,
        on_rejected_attribute: word(row, "on_rejected_attribute")?,
        token: Token {
            require_expiry: row.try_get(5)?,
            max_age_s: row.try_get::<Option<i64>, _>(6)?.and_then(|seconds| u32::try_from(seconds).ok()),
            audiences: row.try_get(7)?,
            issuers: row.try_get(8)?,
        },
        membership: Membership { locked: row.try_get(9)? },
        jwks: row.try_get::<Option<String>, _>(10)?.map(Secret::Text),
        jwt_keys: Vec::new(),
        identity_secrets: Vec::new(),
        attributes: Default::default(),
        company_attributes: Default::default(),
    };
    let (jwt_secrets, identity_secrets, problems) = Default::default();
    Ok(Stored { id: row.try_get(0)?, organization, jwt_secrets, identity_secrets, problems })
}

impl Stored {
    fn add_key(&mut self, row: &PgRow, master_keys: &MasterKeys) -> sqlx::Result<()> {
        let kind = KeyKind::of_column(row.try_get(1)?).ok_or_else(|| impossible("a value of kind"))?;
        let id: &str = row.try_get(2)?;
        let secret_id: Option<i64> = row.try_get(5)?;
        let secret = match secret_id {
            None => None,
            Some(secret) => {
                let whose = Whose { organization: self.id, kind: kind.column(), key: id, secret };
                let (sealed, master_key): (Option<&[u8]>, Option<&str>) = (row.try_get(6)?, row.try_get(7)?);
                let opened = master_keys.open(&whose, sealed.unwrap_or_default(), master_key.unwrap_or_default());
                Some(opened.map_or_else(|message| self.gap(kind, id, message), Secret::of_bytes))
            }
        };
        let moment = |column: usize| {
            let millis: Option<i64> = row.try_get(column)?;
            Ok::<_, sqlx::Error>(millis.map(|millis| Moment(EventTime::from_millis(millis))))
        };
        let [valid_from, retired_at, revoked_at] = [moment(8)?, moment(9)?, moment(10)?];
        let id = id.to_owned();
        if kind == KeyKind::Identity {
            let secret = secret.ok_or_else(|| impossible("an identity secret without a secret"))?;
            self.identity_secrets.push(secret_id);
            self.organization.identity_secrets.push(IdentitySecret { id, secret, valid_from, retired_at, revoked_at });
            return Ok(());
        }
        let algorithm = word(row, "algorithm")?;
        let public_key = row.try_get::<Option<String>, _>(4)?.map(Secret::Text);
        self.jwt_secrets.push(secret_id);
        self.organization.jwt_keys.push(JwtKey {
            id,
            algorithm,
            secret,
            public_key,
            valid_from,
            retired_at,
            revoked_at,
        });
        Ok(())
    }

    /// Notes that a secret doesn't open; what stands in for it says that it is there.
    fn gap(&mut self, kind: KeyKind, id: &str, message: String) -> Secret {
        let place = Place::organization(&self.organization.slug).field(kind.list()).entry(id).field("secret");
        self.problems.push(Problem::at(&place, message));
        Secret::Stored(true)
    }

    fn add_attribute(&mut self, row: &PgRow) -> sqlx::Result<()> {
        let attribute = Attribute {
            kind: Some(word(row, "type")?),
            max_chars: row.try_get::<Option<i64>, _>(4)?.and_then(|chars| usize::try_from(chars).ok()),
            options: row.try_get(5)?,
            locked: Some(row.try_get(6)?),
            archived: row.try_get(7)?,
        };
        let table = match row.try_get(1)? {
            "user" => &mut self.organization.attributes,
            _ => &mut self.organization.company_attributes,
        };
        table.insert(row.try_get(2)?, attribute);
        Ok(())
    }
}

/// The latest change of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::store) struct Mark {
    /// Its number; 0 before the first.
    pub(in crate::store) revision: i64,
    /// When it was made, in microseconds. A database that was restored, or failed over to a copy that had not heard of
    /// everything, gives a number a second time, and hardly the time with it.
    at: i64,
}

impl Mark {
    /// The latest change that the connection sees.
    pub(super) async fn latest(connection: &mut PgConnection) -> sqlx::Result<Self> {
        let sql = "select number, (extract(epoch from at) * 1000000)::bigint from attrsync.revisions order by number desc limit 1";
        let row: Option<(i64, i64)> = query_as(sql).fetch_optional(connection).await?;
        Ok(row.map(|(revision, at)| Self { revision, at }).unwrap_or_default())
    }

    /// Whether the database still tells the same of this change.
    pub(super) async fn still_holds(self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let sql = "select count(*) from attrsync.revisions where number = $1 and (extract(epoch from at) * 1000000)::bigint = $2";
        let found: i64 = query_scalar(sql).bind(self.revision).bind(self.at).fetch_one(connection).await?;
        Ok(self == Self::default() || found == 1)
    }

    /// The latest revision that was made at this time or before.
    pub(super) async fn revision_at(connection: &mut PgConnection, at: EventTime) -> sqlx::Result<i64> {
        let sql = "select coalesce(max(number), 0) from attrsync.revisions where (extract(epoch from at) * 1000)::bigint <= $1";
        query_scalar(sql).bind(at.millis()).fetch_one(connection).await
    }
}
