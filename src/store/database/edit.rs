//! Changes of one organization. What is there is read, changed as a document, checked as one and written, all while nobody
//! else can change anything: of two administrators at once the second sees what the first has done.

use sqlx::query;

use super::{
    Author, Database, DatabaseError, SILENCE, TURN,
    plan::Change,
    read::{Reader, Stored},
    write::{WriteError, Writer},
};
use crate::{
    domain::{
        Policy,
        snapshot::{Enforcement, Pool},
    },
    store::{
        compile::{One, compile_one},
        difference,
        document::Organization,
        effective::complete_listed,
        moment::Moment,
        problem::Problem,
        revoke::revoke,
        seal::MasterKeys,
        secret::{Secret, Vault},
    },
};

/// By whom and under what an edit is made.
#[derive(Debug)]
pub struct Edit<'e> {
    /// Who changes something, and why.
    pub author: &'e Author,
    /// The deployment's policy, under which the result is checked.
    pub policy: &'e Policy,
    /// What secrets are opened and sealed with.
    pub master_keys: &'e MasterKeys,
    /// The revision that the edit is based on: an organization that changed after it is left alone. `None`: whatever is there.
    pub since: Option<i64>,
}

impl Database {
    /// Adds an organization.
    ///
    /// # Errors
    /// When it is wrong, its names are taken, or the database can't be asked.
    pub async fn add_organization(
        &mut self,
        edit: &Edit<'_>,
        organization: Organization,
    ) -> Result<Change, DatabaseError> {
        self.begin(edit.author).await?;
        let added = self.put(edit, organization, (None, PartialEq::eq)).await;
        self.end(added).await
    }

    /// Changes an organization. `change` says what keeps it from being changed.
    ///
    /// # Errors
    /// When there is none of this slug, it can't be changed so, or the database can't be asked.
    pub async fn edit_organization(
        &mut self,
        edit: &Edit<'_>,
        slug: &str,
        change: impl FnOnce(&mut Organization) -> Result<(), String>,
    ) -> Result<Change, DatabaseError> {
        self.edit_as(edit, slug, (change, PartialEq::eq)).await
    }

    /// Revokes keys of an organization ([`revoke`]), and says what was revoked with them.
    ///
    /// # Errors
    /// When there is no such organization or key, it can't be changed so, or the database can't be asked.
    pub async fn revoke_keys(
        &mut self,
        edit: &Edit<'_>,
        slug: &str,
        (ids, identity, at): (&[String], bool, Moment),
    ) -> Result<(Change, Vec<String>), DatabaseError> {
        let mut said = Vec::new();
        let change = |organization: &mut Organization| {
            said = revoke(organization, (ids, identity), at)?;
            Ok(())
        };
        // Of too many keys that are valid at once there are fewer afterwards, which is another message at the same place.
        let same = |one: &Problem, other: &Problem| one.place == other.place;
        let changed = self.edit_as(edit, slug, (change, same)).await?;
        Ok((changed, said))
    }

    async fn edit_as(
        &mut self,
        edit: &Edit<'_>,
        slug: &str,
        (change, same): (impl FnOnce(&mut Organization) -> Result<(), String>, Same),
    ) -> Result<Change, DatabaseError> {
        self.begin(edit.author).await?;
        let edited = async {
            self.unchanged_since(edit.since, &[slug.to_owned()]).await?;
            let stored = self.stored(slug, edit.master_keys).await?;
            let mut organization = stored.organization.clone();
            change(&mut organization).map_err(DatabaseError::Refused)?;
            self.put(edit, organization, (Some(&stored), same)).await
        };
        let edited = edited.await;
        self.end(edited).await
    }

    /// Archives an organization: its events are those of an unknown one from then on, and its names are free.
    ///
    /// # Errors
    /// When there is none of this slug, or the database can't be asked.
    pub async fn archive_organization(&mut self, edit: &Edit<'_>, slug: &str) -> Result<Change, DatabaseError> {
        self.begin(edit.author).await?;
        let archived = async {
            self.unchanged_since(edit.since, &[slug.to_owned()]).await?;
            self.archive(&[slug.to_owned()]).await?;
            Ok(Change::archived(slug))
        };
        let archived = archived.await;
        self.end(archived).await
    }

    /// One organization as it is, secrets that don't open left out.
    ///
    /// # Errors
    /// When there is none of this slug, or the database can't be asked.
    pub async fn organization(&mut self, slug: &str, master_keys: &MasterKeys) -> Result<Organization, DatabaseError> {
        self.stored(slug, master_keys).await.map(|stored| stored.organization)
    }

    async fn stored(&mut self, slug: &str, master_keys: &MasterKeys) -> Result<Stored, DatabaseError> {
        let failed = self.failed("the organization can't be read");
        let mut reader = Reader { connection: &mut self.connection, master_keys, at: None };
        let ids = reader.of_slugs(&[slug.to_owned()]).await.map_err(&failed)?;
        let found = reader.read(&ids).await.map_err(&failed)?.pop();
        found.ok_or_else(|| DatabaseError::Refused(format!("there is no organization `{}`", slug.escape_debug())))
    }

    /// Checks an organization and makes the database say so. Nothing is written where it says so already. What was wrong before
    /// keeps nobody from an edit that makes nothing worse: it is told as a warning.
    async fn put(
        &mut self,
        edit: &Edit<'_>,
        organization: Organization,
        (old, same): (Option<&Stored>, Same),
    ) -> Result<Change, DatabaseError> {
        let slug = organization.slug.clone();
        let base = match old {
            Some(old) => old.organization.clone(),
            None => Organization::new(&slug),
        };
        if base.enforcement != Enforcement::Off {
            refuse_off(&organization, edit.policy)?;
        }
        let before = checked(&base, edit.policy);
        let (organization, changes, warnings) = match checked(&organization, edit.policy) {
            Ok(after) => {
                // Where what is there breaks a rule it is mended, whatever else it is.
                let changes =
                    difference::between(before.as_ref().map_or(&base, |one| &one.effective), &after.effective);
                (complete_listed(organization, &after.effective), changes, after.warnings)
            }
            Err(problems) => {
                let known = before.err().filter(|_| old.is_some()).unwrap_or_default();
                let known = none_worse(problems, &known, same)?;
                let changes = difference::between(&base, &organization);
                (organization, changes, known)
            }
        };
        if !changes.is_empty() || old.is_none() {
            self.write(edit.master_keys, &organization, old).await?;
        }
        Ok(Change { added: old.is_none(), organization: slug, archived: false, changes, warnings })
    }

    pub(super) async fn write(
        &mut self,
        master_keys: &MasterKeys,
        new: &Organization,
        old: Option<&Stored>,
    ) -> Result<(), DatabaseError> {
        let failed = self.failed("the organization can't be written");
        let written = Writer { connection: &mut self.connection, master_keys }.write(new, old).await;
        written.map_err(|error| match error {
            WriteError::Seal(message) => {
                DatabaseError::Refused(format!("organization {}: {message}", new.slug.escape_debug()))
            }
            WriteError::Sql(error) => match error.as_database_error().and_then(|error| error.constraint()) {
                Some("organizations_slug") => taken("slug", &new.slug),
                Some("organizations_app_id") => taken("app_id", new.app_id.as_deref().unwrap_or_default()),
                _ => failed(error),
            },
        })
    }

    pub(super) async fn archive(&mut self, slugs: &[String]) -> Result<(), DatabaseError> {
        let failed = self.failed("the organization can't be archived");
        let sql = "update attrsync.organizations set archived_at = now() where slug = any($1) and archived_at is null";
        let archived = query(sql).bind(slugs).execute(&mut self.connection).await.map_err(failed)?;
        if archived.rows_affected() < slugs.len() as u64 {
            let slugs: Vec<_> = slugs.iter().map(|slug| slug.escape_debug().to_string()).collect();
            return Err(DatabaseError::Refused(format!("there is no organization `{}`", slugs.join("`, `"))));
        }
        Ok(())
    }

    /// Begins a change: from here on nobody else changes anything before this one has ended.
    pub(super) async fn begin(&mut self, author: &Author) -> Result<(), DatabaseError> {
        let failed = self.failed("a change can't be begun");
        // Whatever the login's default is: another isolation would see what was there before its turn came.
        query("begin isolation level read committed").execute(&mut self.connection).await.map_err(&failed)?;
        let begun = self.take_turn(author).await;
        if begun.is_err() {
            // What went wrong is told; what goes wrong after it says no more.
            let _ = query("rollback").execute(&mut self.connection).await;
        }
        begun.map_err(failed)
    }

    /// Says who changes something, and waits until nobody else does.
    async fn take_turn(&mut self, author: &Author) -> sqlx::Result<()> {
        let sql = "select set_config('attrsync.actor', $1, true), set_config('attrsync.reason', $2, true),
                          set_config('lock_timeout', $3, true), set_config('idle_in_transaction_session_timeout', $4, true)";
        let settings = query(sql).bind(&author.actor).bind(&author.reason).bind(TURN).bind(SILENCE);
        settings.execute(&mut self.connection).await?;
        query("select attrsync.revision()").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Commits what came of a change, or takes it back: where it failed, and where nothing is different.
    pub(super) async fn end<T: Outcome>(&mut self, outcome: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        let failed = self.failed("the change can't be ended");
        let changed = outcome.as_ref().is_ok_and(Outcome::is_change);
        let ended = query(if changed { "commit" } else { "rollback" }).execute(&mut self.connection).await;
        let outcome = outcome?;
        ended.map_err(failed)?;
        Ok(outcome)
    }

    /// That none of these organizations changed after a revision, nor one that had such a slug then.
    pub(super) async fn unchanged_since(&mut self, since: Option<i64>, slugs: &[String]) -> Result<(), DatabaseError> {
        let Some(since) = since else { return Ok(()) };
        let failed = self.failed("the versions of organizations can't be read");
        // One that had the slug and was given another is found by what it was: where it is gone, its slug looks free.
        let sql = "select o.slug from attrsync.versions v join attrsync.organizations o on o.id = v.organization_id
                   where v.revision > $1 and o.slug = any($2)
                   union
                   select before ->> 'slug' from attrsync.history
                   where revision > $1 and relation = 'organizations' and before ->> 'slug' = any($2)
                   order by slug";
        let changed: Vec<String> =
            sqlx::query_scalar(sql).bind(since).bind(slugs).fetch_all(&mut self.connection).await.map_err(failed)?;
        // The revision of this very change is above every other, and has no organization yet.
        if changed.is_empty() { Ok(()) } else { Err(DatabaseError::Conflict { since, organizations: changed }) }
    }
}

/// What came of a change.
pub(super) trait Outcome {
    /// Whether anything is different.
    fn is_change(&self) -> bool;
}

impl Outcome for Change {
    fn is_change(&self) -> bool {
        self.added || self.archived || !self.changes.is_empty()
    }
}

fn taken(field: &str, value: &str) -> DatabaseError {
    DatabaseError::Refused(format!("another organization has the {field} `{}`", value.escape_debug()))
}

/// `off` is for local testing, and no accident.
pub(super) fn refuse_off(organization: &Organization, policy: &Policy) -> Result<(), DatabaseError> {
    if organization.enforcement != Enforcement::Off || policy.allow_off {
        return Ok(());
    }
    Err(DatabaseError::Refused(format!(
        "organization {}: enforcement `off` is refused, since this deployment does not say security.allow_off; `observe` shows \
         what would be rejected",
        organization.slug.escape_debug()
    )))
}

/// An organization that passes every check, but for secrets that don't open: those are told elsewhere, and don't keep anybody
/// from mending the rest.
pub(super) fn checked(organization: &Organization, policy: &Policy) -> Result<One, Vec<Problem>> {
    let mut whole = organization.clone();
    let secrets = whole.jwt_keys.iter_mut().filter_map(|key| key.secret.as_mut());
    let secrets = secrets.chain(whole.identity_secrets.iter_mut().map(|secret| &mut secret.secret));
    for (number, secret) in secrets.filter(|secret| matches!(secret, Secret::Stored(_))).enumerate() {
        // Each is another: one that is revoked must not make all of them look revoked.
        let text = format!("stands in for secret {number}, which does not open, and is as long as HS512 asks for");
        *secret = Secret::Text(text);
    }
    compile_one(whole, &Vault::empty(), policy, &mut Pool::default())
}

/// Whether what is wrong after an edit was wrong before it.
type Same = fn(&Problem, &Problem) -> bool;

/// That all of this was wrong before.
fn none_worse(problems: Vec<Problem>, known: &[Problem], same: Same) -> Result<Vec<Problem>, DatabaseError> {
    let (known, new): (Vec<_>, Vec<_>) =
        problems.into_iter().partition(|problem| known.iter().any(|known| same(known, problem)));
    if new.is_empty() { Ok(known) } else { Err(DatabaseError::Broken { what: "the result".to_owned(), problems: new }) }
}
