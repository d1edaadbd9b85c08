//! What was changed, by whom, when and why.

use serde::Serialize;
use serde_json::Value;
use sqlx::query_as;

use super::{Database, DatabaseError};

/// One change of settings: everything that was done in one transaction.
#[derive(Debug, Serialize)]
pub struct Revision {
    /// Its number, in the order of all changes.
    pub revision: i64,
    /// When, in RFC 3339.
    pub at: String,
    /// Who, as the client said.
    pub actor: String,
    /// Who had logged in to the database.
    pub role: String,
    /// Why.
    pub reason: String,
    /// What is different.
    pub entries: Vec<Entry>,
}

/// One row that is different.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// `organizations`, `keys` or `attributes`.
    pub relation: String,
    /// Which of the organization's, as in `jwt/2026-10` and `user/plan`; empty for itself.
    pub entry: String,
    /// The row before; none: there was none.
    pub before: Option<Value>,
    /// The row now; none: it is gone.
    pub after: Option<Value>,
}

type Row = (i64, String, String, String, String, String, String, Option<Value>, Option<Value>);

impl Database {
    /// The latest changes of an organization, whatever its slug was at the time; the newest first.
    ///
    /// # Errors
    /// When there never was one of this slug, or the database can't be asked.
    pub async fn history(&mut self, slug: &str, revisions: i64) -> Result<Vec<Revision>, DatabaseError> {
        let failed = self.failed("the history can't be read");
        let sql = "
            with organization as (
                select distinct organization_id as id from attrsync.history
                where relation = 'organizations' and $1 in (before ->> 'slug', after ->> 'slug')
            ), latest as (
                select distinct revision from attrsync.history where organization_id in (select id from organization)
                order by revision desc limit $2
            )
            select r.number, to_char(r.at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), r.actor, r.role, r.reason,
                   h.relation, h.entry, h.before, h.after
            from latest join attrsync.revisions r on r.number = latest.revision join attrsync.history h on h.revision = r.number
            where h.organization_id in (select id from organization)
            order by r.number desc, h.number";
        let rows: Vec<Row> =
            query_as(sql).bind(slug).bind(revisions).fetch_all(&mut self.connection).await.map_err(failed)?;
        if rows.is_empty() {
            return Err(DatabaseError::Refused(format!("there never was an organization `{}`", slug.escape_debug())));
        }
        let mut all: Vec<Revision> = Vec::new();
        for (revision, at, actor, role, reason, relation, entry, before, after) in rows {
            if all.last().is_none_or(|last| last.revision != revision) {
                all.push(Revision { revision, at, actor, role, reason, entries: Vec::new() });
            }
            if let Some(last) = all.last_mut() {
                last.entries.push(Entry { relation, entry, before, after });
            }
        }
        Ok(all)
    }
}
