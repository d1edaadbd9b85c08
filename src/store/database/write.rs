//! Documents to rows. Of an organization only the rows that differ are written, so that its history tells what changed and
//! nothing else; a secret that stays the same keeps its seal.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::{PgConnection, query, query_scalar};

use super::read::Stored;
use crate::store::{
    document::{Attribute, Organization},
    key_kind::KeyKind,
    moment::Moment,
    seal::{MasterKeys, Whose},
    secret::Secret,
};

/// Why an organization could not be written.
#[derive(Debug)]
pub(super) enum WriteError {
    Sql(sqlx::Error),
    Seal(String),
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// A writer of organizations, within a transaction.
pub(super) struct Writer<'c> {
    pub(super) connection: &'c mut PgConnection,
    pub(super) master_keys: &'c MasterKeys,
}

/// The rows of a table that belong to one organization, by what tells them apart in it.
type Rows = BTreeMap<(&'static str, String), Value>;

impl Writer<'_> {
    /// Makes the database say of an organization what `new` says, where it said `old`. The attributes that `new` lists are
    /// complete, its secrets stand in it or are [`Secret::Stored`].
    pub(super) async fn write(&mut self, new: &Organization, old: Option<&Stored>) -> Result<(), WriteError> {
        let id = self.organization(new, old).await?;
        let before = old.map(|old| keys(&old.organization, old)).unwrap_or_default();
        let after = self.keys(id, new, old).await?;
        self.exchange(id, (&before, &after), &KEYS).await?;
        let before = old.map(|old| attributes(&old.organization)).unwrap_or_default();
        self.exchange(id, (&before, &attributes(new)), &ATTRIBUTES).await?;
        Ok(())
    }

    async fn organization(&mut self, new: &Organization, old: Option<&Stored>) -> sqlx::Result<i64> {
        let row = row(new);
        let Some(old) = old else {
            return query_scalar(INSERT_ORGANIZATION).bind(row).fetch_one(&mut *self.connection).await;
        };
        if row != self::row(&old.organization) {
            query(UPDATE_ORGANIZATION).bind(row).bind(old.id).execute(&mut *self.connection).await?;
        }
        Ok(old.id)
    }

    /// The rows of its keys; secrets that are new are sealed and kept.
    async fn keys(&mut self, id: i64, new: &Organization, old: Option<&Stored>) -> Result<Rows, WriteError> {
        let mut rows = Rows::new();
        for (kind, key, secret, mut row) in key_rows(new) {
            if let Some(secret) = secret {
                let number = match old.and_then(|old| old.secret_number(kind, key, secret)) {
                    Some(number) => number,
                    None => self.secret(id, (kind, key), secret).await?,
                };
                row["secret_id"] = json!(number);
            }
            rows.insert((kind.column(), key.to_owned()), row);
        }
        Ok(rows)
    }

    async fn secret(&mut self, id: i64, (kind, key): (KeyKind, &str), secret: &Secret) -> Result<i64, WriteError> {
        let bytes = match secret {
            Secret::Text(text) => text.as_bytes(),
            Secret::Base64(bytes) => bytes,
            _ => return Err(WriteError::Seal(format!("the database has no secret for {key}"))),
        };
        let number = query_scalar("select nextval('attrsync.secret_ids')").fetch_one(&mut *self.connection).await?;
        let whose = Whose { organization: id, kind: kind.column(), key, secret: number };
        let sealed = self.master_keys.seal(&whose, bytes).map_err(WriteError::Seal)?;
        query("insert into attrsync.secrets (id, organization_id, kind, key, sealed, master_key) values ($1, $2, $3, $4, $5, $6)")
            .bind(number)
            .bind(id)
            .bind(kind.column())
            .bind(key)
            .bind(sealed.bytes)
            .bind(sealed.master_key)
            .execute(&mut *self.connection)
            .await?;
        Ok(number)
    }

    /// Deletes the rows that are no longer there and writes those that are new or different.
    async fn exchange(&mut self, id: i64, (before, after): (&Rows, &Rows), table: &Table) -> sqlx::Result<()> {
        let gone: Vec<_> = before.keys().filter(|row| !after.contains_key(*row)).collect();
        if !gone.is_empty() {
            let (of, names): (Vec<_>, Vec<_>) = gone.into_iter().map(|(of, name)| (*of, name.as_str())).unzip();
            query(table.delete).bind(id).bind(of).bind(names).execute(&mut *self.connection).await?;
        }
        let new: Vec<_> =
            after.iter().filter(|(name, row)| before.get(*name) != Some(row)).map(|(_, row)| row).collect();
        if !new.is_empty() {
            query(table.write).bind(id).bind(json!(new)).execute(&mut *self.connection).await?;
        }
        Ok(())
    }
}

impl Stored {
    /// The number of the secret that a key has, where it is this one.
    fn secret_number(&self, kind: KeyKind, id: &str, secret: &Secret) -> Option<i64> {
        let numbers = match kind {
            KeyKind::Jwt => &self.jwt_secrets,
            KeyKind::Identity => &self.identity_secrets,
        };
        let keys = key_rows(&self.organization).filter(|(of, ..)| *of == kind);
        let (held, number) =
            keys.zip(numbers).find(|((_, key, ..), _)| *key == id).map(|((.., held, _), number)| (held, *number))?;
        number.filter(|_| matches!(secret, Secret::Stored(_)) || held == Some(secret))
    }
}

const INSERT_ORGANIZATION: &str = "
    insert into attrsync.organizations (slug, app_id, enforcement, on_rejected_attribute, require_expiry, max_age_s, audiences,
        issuers, membership_locked, jwks)
    select slug, app_id, enforcement, on_rejected_attribute, require_expiry, max_age_s, audiences, issuers, membership_locked, jwks
    from jsonb_to_record($1) as r(slug text, app_id text, enforcement text, on_rejected_attribute text, require_expiry boolean,
        max_age_s bigint, audiences text[], issuers text[], membership_locked boolean, jwks text)
    returning id";

const UPDATE_ORGANIZATION: &str = "
    update attrsync.organizations set (slug, app_id, enforcement, on_rejected_attribute, require_expiry, max_age_s, audiences,
        issuers, membership_locked, jwks) =
    (select slug, app_id, enforcement, on_rejected_attribute, require_expiry, max_age_s, audiences, issuers, membership_locked, jwks
    from jsonb_to_record($1) as r(slug text, app_id text, enforcement text, on_rejected_attribute text, require_expiry boolean,
        max_age_s bigint, audiences text[], issuers text[], membership_locked boolean, jwks text))
    where id = $2";

/// How the rows of a table are deleted and written.
struct Table {
    delete: &'static str,
    write: &'static str,
}

const KEYS: Table = Table {
    delete: "
        delete from attrsync.keys where organization_id = $1
        and (kind, id) in (select * from unnest($2::text[], $3::text[]))",
    write: "
        insert into attrsync.keys
            (organization_id, kind, id, algorithm, secret_id, public_key, valid_from, retired_at, revoked_at)
        select $1, kind, id, algorithm, secret_id, public_key, valid_from, retired_at, revoked_at
        from jsonb_to_recordset($2) as r(kind text, id text, algorithm text, secret_id bigint, public_key text,
            valid_from timestamptz, retired_at timestamptz, revoked_at timestamptz)
        on conflict (organization_id, kind, id) do update set algorithm = excluded.algorithm, secret_id = excluded.secret_id,
            public_key = excluded.public_key, valid_from = excluded.valid_from, retired_at = excluded.retired_at,
            revoked_at = excluded.revoked_at",
};

const ATTRIBUTES: Table = Table {
    delete: "
        delete from attrsync.attributes where organization_id = $1
        and (owner, name) in (select * from unnest($2::text[], $3::text[]))",
    write: "
        insert into attrsync.attributes (organization_id, owner, name, type, max_chars, options, locked, archived)
        select $1, owner, name, type, max_chars, options, locked, archived
        from jsonb_to_recordset($2) as r(owner text, name text, type text, max_chars bigint, options text[], locked boolean,
            archived boolean)
        on conflict (organization_id, owner, name) do update set type = excluded.type, max_chars = excluded.max_chars,
            options = excluded.options, locked = excluded.locked, archived = excluded.archived",
};

fn row(organization: &Organization) -> Value {
    let jwks =
        organization.jwks.as_ref().and_then(|jwks| if let Secret::Text(text) = jwks { Some(text) } else { None });
    json!({
        "slug": organization.slug,
        "app_id": organization.app_id,
        "enforcement": organization.enforcement,
        "on_rejected_attribute": organization.on_rejected_attribute,
        "require_expiry": organization.token.require_expiry,
        "max_age_s": organization.token.max_age_s,
        "audiences": organization.token.audiences,
        "issuers": organization.token.issuers,
        "membership_locked": organization.membership.locked,
        "jwks": jwks,
    })
}

/// Its keys: of which kind, the id, the secret, and the row without the secret's number.
fn key_rows(organization: &Organization) -> impl Iterator<Item = (KeyKind, &str, Option<&Secret>, Value)> {
    let times = |[from, retired, revoked]: [Option<Moment>; 3]| (from, retired, revoked);
    let jwt = organization.jwt_keys.iter().map(move |key| {
        let (valid_from, retired_at, revoked_at) = times([key.valid_from, key.retired_at, key.revoked_at]);
        let public_key =
            key.public_key.as_ref().and_then(|key| if let Secret::Text(text) = key { Some(text) } else { None });
        let row = json!({
            "kind": KeyKind::Jwt.column(), "id": key.id, "algorithm": key.algorithm, "public_key": public_key,
            "secret_id": null, "valid_from": valid_from, "retired_at": retired_at, "revoked_at": revoked_at,
        });
        (KeyKind::Jwt, key.id.as_str(), key.secret.as_ref(), row)
    });
    let identity = organization.identity_secrets.iter().map(move |key| {
        let (valid_from, retired_at, revoked_at) = times([key.valid_from, key.retired_at, key.revoked_at]);
        let row = json!({
            "kind": KeyKind::Identity.column(), "id": key.id, "algorithm": "HS256", "public_key": null,
            "secret_id": null, "valid_from": valid_from, "retired_at": retired_at, "revoked_at": revoked_at,
        });
        (KeyKind::Identity, key.id.as_str(), Some(&key.secret), row)
    });
    jwt.chain(identity)
}

/// The rows of the keys that are stored.
fn keys(organization: &Organization, stored: &Stored) -> Rows {
    let mut numbers = stored.jwt_secrets.iter().chain(&stored.identity_secrets);
    let rows = key_rows(organization).map(|(kind, id, _, mut row)| {
        row["secret_id"] = json!(numbers.next().copied().flatten());
        ((kind.column(), id.to_owned()), row)
    });
    rows.collect()
}

fn attributes(organization: &Organization) -> Rows {
    let row = |owner: &'static str, (name, attribute): (&String, &Attribute)| {
        let row = json!({
            "owner": owner, "name": name, "type": attribute.kind, "max_chars": attribute.max_chars,
            "options": attribute.options, "locked": attribute.locked, "archived": attribute.archived,
        });
        ((owner, name.clone()), row)
    };
    let users = organization.attributes.iter().map(|entry| row("user", entry));
    users.chain(organization.company_attributes.iter().map(|entry| row("company", entry))).collect()
}
