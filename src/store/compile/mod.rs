//! A settings document to what judges: every check, then the organizations of a snapshot.
//!
//! The document is completed first (standard attributes, defaults, keys newest first), and both what judges and what
//! versions are told apart by come from the complete one. All checks run before anything is refused, so that one try shows
//! everything that is wrong.

mod attributes;
mod keys;
pub(super) mod material;
mod public_keys;
mod reserved;
mod reuse;

use std::{collections::HashSet, fmt};

use super::{
    document::Organization,
    effective::Effective,
    file::Parsed,
    problem::{Findings, Place, Problem},
    secret::Vault,
    version::Sum,
};
use crate::domain::{
    Policy, Snapshot,
    snapshot::{self, Enforcement, Pool, TokenRules},
};

/// A document that passed every check.
pub(super) struct Compiled {
    /// What judges.
    pub(super) snapshot: Snapshot,
    /// The complete document: what a change is told by.
    pub(super) effective: Effective,
    /// What is doubtful.
    pub(super) warnings: Vec<Problem>,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").field("version", &self.snapshot.version()).finish_non_exhaustive()
    }
}

/// Compiles a document under the deployment's policy.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn compile(parsed: Parsed, vault: &Vault, policy: &Policy) -> Result<Compiled, Vec<Problem>> {
    let Parsed { document, problems } = parsed;
    let mut pool = Pool::default();
    let findings = Findings { problems, warnings: Vec::new() };
    let mut compiler = Compiler { vault, policy, pool: &mut pool, findings };
    if document.organizations.is_empty() && compiler.findings.problems.is_empty() {
        let message = "no organization; settings.example.toml shows how to write one";
        compiler.findings.problem(&Place::document(), message);
    }
    compiler.check_names(&document.organizations);
    let (effective, organizations): (Vec<_>, Vec<_>) =
        document.organizations.into_iter().map(|organization| compiler.organization(organization)).unzip();
    let Findings { problems, warnings } = compiler.findings;
    if !problems.is_empty() {
        return Err(problems);
    }
    let version = effective.iter().map(Sum::of).fold(Sum::default(), Sum::plus).version(policy);
    let snapshot = Snapshot::new(version, policy.clone(), organizations);
    Ok(Compiled { snapshot, effective: Effective::new(effective), warnings })
}

/// An organization that passed every check.
pub(super) struct One {
    /// What judges.
    pub(super) ready: snapshot::Organization,
    /// The complete document, its secrets disguised.
    pub(super) effective: Organization,
    /// What is doubtful.
    pub(super) warnings: Vec<Problem>,
}

/// Compiles one organization of many by itself; that no other has its names is for the caller to know. What is equal in many
/// of them is kept once, in the pool.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn compile_one(
    organization: Organization,
    vault: &Vault,
    policy: &Policy,
    pool: &mut Pool,
) -> Result<One, Vec<Problem>> {
    let mut compiler = Compiler { vault, policy, pool, findings: Findings::default() };
    compiler.check_names(std::slice::from_ref(&organization));
    let (effective, ready) = compiler.organization(organization);
    let Findings { problems, warnings } = compiler.findings;
    if problems.is_empty() { Ok(One { ready, effective, warnings }) } else { Err(problems) }
}

/// The checks of one document.
struct Compiler<'c> {
    vault: &'c Vault,
    policy: &'c Policy,
    pool: &'c mut Pool,
    findings: Findings,
}

impl Compiler<'_> {
    /// Slugs and app ids: there, short enough, and no two alike. A slug is what comes before the first colon of a key.
    fn check_names(&mut self, organizations: &[Organization]) {
        let (mut slugs, mut app_ids) = (HashSet::new(), HashSet::new());
        for organization in organizations {
            let place = Place::organization(&organization.slug);
            self.check_text(&place.field("slug"), &organization.slug);
            if organization.slug.contains(':') {
                let message = "holds `:`, which ends the slug in the keys of records (`slug:user`): they could be those of another \
                               organization; leave it out";
                self.findings.problem(&place.field("slug"), message);
            }
            if !slugs.insert(&organization.slug) {
                self.findings.problem(&place, "two organizations have this slug; events could mean either");
            }
            let Some(app_id) = &organization.app_id else { continue };
            self.check_text(&place.field("app_id"), app_id);
            if !app_ids.insert(app_id) {
                let message = format!("`{}` is another organization's app_id too", app_id.escape_debug());
                self.findings.problem(&place.field("app_id"), message);
            }
        }
    }

    /// Whether nothing can be wrong with a text, told at a glance.
    fn is_fine(&self, text: &str) -> bool {
        (1..=self.policy.limits.name_chars).contains(&text.len()) && !text.contains('\0')
    }

    /// A text that events or tokens are compared with: not empty, and not longer than one that could arrive.
    fn check_text(&mut self, place: &Place, text: &str) {
        let (chars, limit) = (text.chars().count(), self.policy.limits.name_chars);
        if chars == 0 {
            self.findings.problem(place, "is empty");
        } else if text.contains('\0') {
            self.findings.problem(place, "holds U+0000; events with it are rejected");
        } else if chars > limit {
            let message =
                format!("has {chars} characters; events with more than {limit} (limits.name_chars) are rejected");
            self.findings.problem(place, message);
        }
    }

    /// One organization, completed and ready to judge.
    fn organization(&mut self, mut document: Organization) -> (Organization, snapshot::Organization) {
        let place = Place::organization(&document.slug);
        self.check_token(&place.field("token"), &document);
        self.check_enforcement(&place, &document);
        let jwt_keys = self.jwt_keys(&place, &mut document);
        let identity_secrets = self.identity_secrets(&place.field("identity_secrets"), &mut document.identity_secrets);
        self.check_reuse(&place, &jwt_keys, &identity_secrets);
        let user_attributes = self.attributes(&place.field("attributes"), &mut document.attributes, &attributes::USERS);
        let company_attributes = self.attributes(
            &place.field("company_attributes"),
            &mut document.company_attributes,
            &attributes::COMPANIES,
        );
        let ready = snapshot::Organization {
            slug: document.slug.as_str().into(),
            app_id: document.app_id.as_deref().map(Into::into),
            enforcement: document.enforcement,
            on_rejected_attribute: document.on_rejected_attribute,
            token: TokenRules {
                require_expiry: document.token.require_expiry,
                max_age_s: document.token.max_age_s,
                audiences: boxed(&document.token.audiences),
                issuers: boxed(&document.token.issuers),
            },
            jwt_keys,
            identity_secrets,
            membership_locked: document.membership.locked,
            user_attributes,
            company_attributes,
        };
        (document, ready)
    }

    fn check_token(&mut self, place: &Place, document: &Organization) {
        for (name, texts) in [("audiences", &document.token.audiences), ("issuers", &document.token.issuers)] {
            if texts.iter().any(String::is_empty) {
                self.findings.problem(&place.field(name), "an empty text; leave the list out where nothing is checked");
            }
            if texts.iter().any(|text| text.contains('\0')) {
                self.findings.problem(&place.field(name), "holds U+0000, which no token's text has");
            }
        }
    }

    fn check_enforcement(&mut self, place: &Place, document: &Organization) {
        if document.enforcement == Enforcement::Off && !self.policy.allow_off {
            let message = "`off` counts as `enforced`, since this deployment does not say security.allow_off; \
                           `observe` shows what would be rejected";
            self.findings.warning(&place.field("enforcement"), message);
        }
        if document.jwt_keys.is_empty() && document.jwks.is_none() && document.identity_secrets.is_empty() {
            let message = "neither jwt_keys nor jwks nor identity_secrets: no identity can be verified";
            self.findings.warning(place, message);
        }
    }
}

fn boxed(texts: &[String]) -> Vec<Box<str>> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

#[cfg(test)]
mod tests;
