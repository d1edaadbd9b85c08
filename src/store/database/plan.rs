//! A settings file beside the database: what it would change, and the change. A file is complete for the organizations that it
//! names; others are left as they are, or archived where that is asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::{
    Database, DatabaseError, Edit,
    edit::{Outcome, checked, refuse_off},
    read::{Mark, Reader, SLICE, Stored, begin_reading, end_reading, millis},
    revoked,
};
use crate::{
    domain::{EventTime, Policy},
    store::{
        FileSettings,
        compile::compile,
        difference::{self, FieldChange},
        document::{Document, Organization},
        effective::complete_listed,
        file::Parsed,
        key_kind::KeyKind,
        moment::Moment,
        problem::{Place, Problem},
        seal::MasterKeys,
        secret::{Secret, Vault},
    },
};

/// A key that was revoked in an organization that is archived: its slug, its app id, and the key's kind, id and when.
type Archived = (String, Option<String>, String, String, i64);

/// What becomes of organizations that the file doesn't name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// They stay as they are.
    Keep,
    /// They are archived.
    Archive,
}

/// What a file would change, or has changed.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// The revision of the settings that it is based on.
    pub revision: i64,
    /// The revision that the file was exported at, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_revision: Option<i64>,
    /// The organizations that are different.
    pub changes: Vec<Change>,
    /// Organizations in the database that the file doesn't name, and that stay.
    pub kept: Vec<String>,
}

/// What is different in one organization.
#[derive(Debug, Serialize)]
pub struct Change {
    /// Its slug.
    pub organization: String,
    /// Whether it is new.
    pub added: bool,
    /// Whether it is archived.
    pub archived: bool,
    /// Its fields that are different.
    pub changes: Vec<FieldChange>,
    /// What is doubtful in it.
    #[serde(skip)]
    pub warnings: Vec<Problem>,
}

impl Change {
    pub(super) fn archived(slug: &str) -> Self {
        Self { organization: slug.to_owned(), added: false, archived: true, changes: Vec::new(), warnings: Vec::new() }
    }
}

impl Outcome for Plan {
    fn is_change(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// What is in the database, as a settings file says it.
#[derive(Debug)]
pub struct Export {
    /// The revision of the settings that it is.
    pub revision: i64,
    /// The document.
    pub document: Document,
    /// What keeps organizations from being used.
    pub problems: Vec<Problem>,
}

/// What a file says, its secrets fetched, and what it means.
struct Wanted {
    organizations: Vec<Organization>,
    effective: BTreeMap<String, Organization>,
    /// By the place of their organization: a fleet's are looked through once, and not for each.
    warnings: HashMap<String, Vec<Problem>>,
}

/// What was revoked in archived organizations, by their slugs and by their app ids.
struct Revoked<'a> {
    slugs: HashMap<&'a str, Vec<&'a Archived>>,
    app_ids: HashMap<&'a str, Vec<&'a Archived>>,
}

impl<'a> Revoked<'a> {
    fn new(archived: &'a [Archived]) -> Self {
        let mut revoked = Self { slugs: HashMap::new(), app_ids: HashMap::new() };
        for key in archived {
            revoked.slugs.entry(&key.0).or_default().push(key);
            if let Some(app_id) = &key.1 {
                revoked.app_ids.entry(app_id).or_default().push(key);
            }
        }
        revoked
    }

    /// What was revoked in those that a file makes anew with this organization.
    fn in_place_of(&self, new: &Organization) -> impl Iterator<Item = &'a Archived> {
        let by_slug = self.slugs.get(new.slug.as_str());
        let by_app_id = new.app_id.as_deref().and_then(|app_id| self.app_ids.get(app_id));
        let slug = new.slug.clone();
        let others = by_app_id.into_iter().flatten().copied().filter(move |archived| archived.0 != slug);
        by_slug.into_iter().flatten().copied().chain(others)
    }
}

impl Database {
    /// What the file would change.
    ///
    /// # Errors
    /// When the file can't be used or takes a revocation back, or the database can't be asked.
    pub async fn plan(
        &mut self,
        file: &FileSettings,
        removal: Removal,
        (policy, master_keys): (&Policy, &MasterKeys),
    ) -> Result<Plan, DatabaseError> {
        let failed = self.failed("the settings can't be read");
        begin_reading(&mut self.connection).await.map_err(&failed)?;
        let planned = self.compare(file, removal, (policy, master_keys)).await.map(|(plan, ..)| plan);
        end_reading(&mut self.connection).await.map_err(&failed)?;
        planned
    }

    /// Makes the database say what the file says, all of it or nothing.
    ///
    /// # Errors
    /// When the file can't be used or takes a revocation back, somebody changed an organization that it names, or the database
    /// can't be asked.
    pub async fn apply(
        &mut self,
        edit: &Edit<'_>,
        file: &FileSettings,
        removal: Removal,
    ) -> Result<Plan, DatabaseError> {
        self.begin(edit.author).await?;
        let applied = async {
            let (plan, wanted, stored) = self.compare(file, removal, (edit.policy, edit.master_keys)).await?;
            let slugs: Vec<_> = plan.changes.iter().map(|change| change.organization.clone()).collect();
            self.unchanged_since(edit.since, &slugs).await?;
            // Names go from one organization to another in this order alone.
            let gone: Vec<_> = plan
                .changes
                .iter()
                .filter(|change| change.archived)
                .map(|change| change.organization.clone())
                .collect();
            if !gone.is_empty() {
                self.archive(&gone).await?;
            }
            self.free_app_ids(&wanted, &stored).await?;
            let changed: BTreeSet<_> = slugs.iter().map(String::as_str).collect();
            for organization in wanted.organizations.iter().filter(|wanted| changed.contains(wanted.slug.as_str())) {
                self.write(edit.master_keys, organization, stored.get(&organization.slug)).await?;
            }
            Ok(plan)
        };
        let applied = applied.await;
        self.end(applied).await
    }

    /// Everything in the database as a document: as it is, or as it was at a time. Where secrets are not to be shown, each is
    /// said to be the one that the database has.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn export(
        &mut self,
        master_keys: &MasterKeys,
        at: Option<EventTime>,
        slug: Option<&str>,
    ) -> Result<Export, DatabaseError> {
        let failed = self.failed("the settings can't be read");
        begin_reading(&mut self.connection).await.map_err(&failed)?;
        let read = async {
            let revision = match at {
                Some(at) => Mark::revision_at(&mut self.connection, at).await?,
                None => Mark::latest(&mut self.connection).await?.revision,
            };
            let at = at.map(|_| revision);
            let mut reader = Reader { connection: &mut self.connection, master_keys, at };
            let ids = match slug {
                Some(slug) => reader.of_slugs(&[slug.to_owned()]).await?,
                None => reader.all().await?,
            };
            let mut stored = Vec::new();
            for ids in ids.chunks(SLICE) {
                stored.append(&mut reader.read(ids).await?);
            }
            Ok::<_, sqlx::Error>((revision, stored))
        };
        let (revision, mut stored) = read.await.map_err(&failed)?;
        end_reading(&mut self.connection).await.map_err(&failed)?;
        stored.sort_by(|one, other| one.organization.slug.cmp(&other.organization.slug));
        let problems = stored.iter().flat_map(|stored| stored.problems.clone()).collect();
        let document = Document { organizations: stored.into_iter().map(|stored| stored.organization).collect() };
        Ok(Export { revision, document, problems })
    }

    /// What differs, what is wanted, and what is there of it.
    async fn compare(
        &mut self,
        file: &FileSettings,
        removal: Removal,
        (policy, master_keys): (&Policy, &MasterKeys),
    ) -> Result<(Plan, Wanted, BTreeMap<String, Stored>), DatabaseError> {
        let failed = self.failed("the settings can't be read");
        let document = &file.parsed.document;
        let revision = Mark::latest(&mut self.connection).await.map_err(&failed)?.revision;
        let slugs: Vec<_> = document.organizations.iter().map(|organization| organization.slug.clone()).collect();
        let mut reader = Reader { connection: &mut self.connection, master_keys, at: None };
        let ids = reader.of_slugs(&slugs).await.map_err(&failed)?;
        let mut stored = BTreeMap::new();
        for ids in ids.chunks(SLICE) {
            let read = reader.read(ids).await.map_err(&failed)?;
            stored.extend(read.into_iter().map(|stored| (stored.organization.slug.clone(), stored)));
        }
        let wanted = wanted(file, &stored, policy)?;
        let archived = self.revoked_of_archived(&wanted, &stored).await?;
        check_revoked(file, &wanted, (&stored, &archived))?;
        let others = self.others(&slugs).await?;
        let mut changes: Vec<_> = wanted
            .organizations
            .iter()
            .filter_map(|organization| change(organization, &wanted, stored.get(&organization.slug), policy))
            .collect();
        let kept = match removal {
            Removal::Keep => others,
            Removal::Archive => {
                changes.extend(others.iter().map(|slug| Change::archived(slug)));
                Vec::new()
            }
        };
        changes.sort_by(|one, other| one.organization.cmp(&other.organization));
        Ok((Plan { revision, file_revision: file.revision, changes, kept }, wanted, stored))
    }

    /// Takes app ids from those that get another: two organizations may change theirs with each other.
    async fn free_app_ids(&mut self, wanted: &Wanted, stored: &BTreeMap<String, Stored>) -> Result<(), DatabaseError> {
        let changes = wanted.organizations.iter().filter_map(|wanted| {
            let stored = stored.get(&wanted.slug)?;
            (stored.organization.app_id.is_some() && stored.organization.app_id != wanted.app_id).then_some(stored.id)
        });
        let changes: Vec<_> = changes.collect();
        if changes.is_empty() {
            return Ok(());
        }
        let failed = self.failed("the app ids can't be written");
        let sql = "update attrsync.organizations set app_id = null where id = any($1)";
        sqlx::query(sql).bind(changes).execute(&mut self.connection).await.map_err(failed)?;
        Ok(())
    }

    /// What was revoked in archived organizations of the slugs and app ids that the file makes anew.
    async fn revoked_of_archived(
        &mut self,
        wanted: &Wanted,
        stored: &BTreeMap<String, Stored>,
    ) -> Result<Vec<Archived>, DatabaseError> {
        let new = || wanted.organizations.iter().filter(|wanted| !stored.contains_key(&wanted.slug));
        let slugs: Vec<_> = new().map(|organization| organization.slug.clone()).collect();
        if slugs.is_empty() {
            return Ok(Vec::new());
        }
        let app_ids: Vec<_> = new().filter_map(|organization| organization.app_id.clone()).collect();
        let failed = self.failed("what was revoked can't be read");
        let sql = format!(
            "select organization.slug, organization.app_id, key.kind, key.id, {}
             from attrsync.organizations as organization join attrsync.keys as key on key.organization_id = organization.id
             where organization.archived_at is not null and key.revoked_at is not null
               and (organization.slug = any($1) or organization.app_id = any($2))
             order by key.revoked_at",
            millis("key.revoked_at")
        );
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(slugs)
            .bind(app_ids)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)
    }

    async fn others(&mut self, slugs: &[String]) -> Result<Vec<String>, DatabaseError> {
        let failed = self.failed("the settings can't be read");
        let sql = "select slug from attrsync.organizations where archived_at is null
                     and not exists (select from unnest($1::text[]) as named where named = slug) order by slug";
        sqlx::query_scalar(sql).bind(slugs).fetch_all(&mut self.connection).await.map_err(failed)
    }
}

/// What a file wants, every rule checked.
fn wanted(file: &FileSettings, stored: &BTreeMap<String, Stored>, policy: &Policy) -> Result<Wanted, DatabaseError> {
    let Parsed { document, problems } = file.parsed.clone();
    let mut organizations = document.organizations;
    for organization in &mut organizations {
        take_stored(organization, stored.get(&organization.slug));
        refuse_off(organization, policy)?;
    }
    let document = Document { organizations: organizations.clone() };
    let broken = |problems| DatabaseError::Broken { what: file.name.clone(), problems };
    let compiled = compile(Parsed { document, problems }, &file.vault, policy).map_err(broken)?;
    let effective = compiled.effective.into_organizations();
    let fetched = organizations.into_iter().map(|organization| {
        let effective = &effective[&organization.slug];
        complete_listed(fetched(organization, &file.vault), effective)
    });
    Ok(Wanted { organizations: fetched.collect(), warnings: by_organization(compiled.warnings), effective })
}

fn by_organization(warnings: Vec<Problem>) -> HashMap<String, Vec<Problem>> {
    let mut all: HashMap<_, Vec<_>> = HashMap::new();
    for warning in warnings {
        all.entry(warning.of().to_owned()).or_default().push(warning);
    }
    all
}

/// That what is revoked stays so, but for the keys that the file was allowed to let be honoured again.
fn check_revoked(
    file: &FileSettings,
    wanted: &Wanted,
    (stored, archived): (&BTreeMap<String, Stored>, &[Archived]),
) -> Result<(), DatabaseError> {
    let (mut problems, archived) = (Vec::new(), Revoked::new(archived));
    for new in &wanted.organizations {
        let allowed = |id: &str| file.unrevoked.iter().any(|(slug, key)| *slug == new.slug && key == id);
        let no_longer = match stored.get(&new.slug) {
            Some(Stored { organization: old, .. }) => revoked::no_longer(old, new),
            None => archived
                .in_place_of(new)
                .filter_map(|(.., kind, id, at)| {
                    let kind = KeyKind::of_column(kind)?;
                    revoked::come_back(new, (kind, id, Moment(EventTime::from_millis(*at))))
                })
                .collect(),
        };
        problems.extend(no_longer.into_iter().filter(|(id, _)| !allowed(id)).map(|(_, problem)| problem));
    }
    if problems.is_empty() { Ok(()) } else { Err(DatabaseError::Broken { what: file.name.clone(), problems }) }
}

/// Puts what the database has where a file says that it does.
fn take_stored(organization: &mut Organization, stored: Option<&Stored>) {
    let Some(Stored { organization: there, .. }) = stored else { return };
    for key in &mut organization.jwt_keys {
        if let Some(Secret::Stored(_)) = key.secret
            && let Some(found) = there.jwt_keys.iter().find(|found| found.id == key.id)
        {
            key.secret.clone_from(&found.secret);
        }
    }
    for key in &mut organization.identity_secrets {
        if let Secret::Stored(_) = key.secret
            && let Some(found) = there.identity_secrets.iter().find(|found| found.id == key.id)
        {
            key.secret = found.secret.clone();
        }
    }
}

/// The organization with its secrets in it. That each can be fetched has been checked.
fn fetched(mut organization: Organization, vault: &Vault) -> Organization {
    let keys = organization.jwt_keys.iter_mut().flat_map(|key| key.secret.iter_mut().chain(&mut key.public_key));
    let all = keys
        .chain(organization.identity_secrets.iter_mut().map(|secret| &mut secret.secret))
        .chain(&mut organization.jwks);
    for secret in all {
        if let Ok(bytes) = vault.open(secret) {
            *secret = Secret::of_bytes(bytes);
        }
    }
    organization
}

fn change(organization: &Organization, wanted: &Wanted, stored: Option<&Stored>, policy: &Policy) -> Option<Change> {
    let slug = &organization.slug;
    let after = wanted.effective.get(slug)?;
    let base = stored.map_or_else(|| Organization::new(slug), |stored| stored.organization.clone());
    let before = checked(&base, policy).map_or(base, |one| one.effective);
    let changes = difference::between(&before, after);
    // A secret that doesn't open is not the one that the file has, whatever that is.
    let unusable = stored.is_some_and(|stored| !stored.problems.is_empty());
    if stored.is_some() && changes.is_empty() && !unusable {
        return None;
    }
    let warnings = wanted.warnings.get(&Place::organization(slug).to_string()).cloned().unwrap_or_default();
    Some(Change { organization: slug.clone(), added: stored.is_none(), archived: false, changes, warnings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::parse;

    #[test]
    fn a_warning_goes_with_its_organization_and_not_with_one_whose_slug_begins_alike() {
        let organization = |slug: &str| format!("[[organizations]]\nslug = \"{slug}\"\nenforcement = \"off\"\n");
        let parsed = parse(&["acme", "acme-inc"].map(organization).concat()).unwrap();
        let organizations = parsed.document.organizations.clone();
        let compiled = compile(parsed, &Vault::empty(), &Policy::default()).unwrap();
        let (effective, warnings) = (compiled.effective.into_organizations(), by_organization(compiled.warnings));
        let wanted = Wanted { organizations, effective, warnings };
        for organization in &wanted.organizations {
            let change = change(organization, &wanted, None, &Policy::default()).unwrap();
            let places: Vec<_> = change.warnings.iter().map(|warning| warning.place.as_str()).collect();
            let whole = format!("organization {}", organization.slug);
            assert_eq!(places, [format!("{whole}: enforcement"), whole]);
        }
    }

    #[test]
    fn what_was_revoked_is_found_by_slug_and_by_app_id_and_once() {
        let key = |slug: &str, app_id: Option<&str>, id: &str| -> Archived {
            (slug.to_owned(), app_id.map(str::to_owned), "jwt".to_owned(), id.to_owned(), 0)
        };
        let archived =
            [key("acme", Some("x"), "1"), key("old", Some("x"), "2"), key("acme", None, "3"), key("other", None, "4")];
        let found = |slug: &str, app_id: Option<&str>| {
            let new = Organization { app_id: app_id.map(str::to_owned), ..Organization::new(slug) };
            Revoked::new(&archived).in_place_of(&new).map(|key| key.3.clone()).collect::<Vec<_>>()
        };
        assert_eq!(found("acme", Some("x")), ["1", "3", "2"]);
        assert_eq!(found("acme", None), ["1", "3"]);
        assert_eq!(found("new", Some("x")), ["1", "2"]);
        assert_eq!(found("new", None), [] as [&str; 0]);
    }
}
