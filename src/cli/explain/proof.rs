//! What verify looked at: the organization, the proof, and the keys that it could have been made with.

use super::steps::{Case, Mark, Steps, named, theirs, words};
use crate::{
    cli::judging,
    decode::{Tenant, UnverifiedEvent},
    domain::{
        Detail, EventTime, Organization, Reason, Snapshot, Stage, Value,
        key::{Algorithm, Standing, Validity},
        snapshot::{Enforcement, JwtKey},
        verdict::{Method, Status},
    },
    verify::jws,
};

impl<'a> Case<'_, 'a> {
    /// Who the organization is, what was offered as proof, and how that ended.
    pub(super) fn verify(&self, steps: &mut Steps, event: &UnverifiedEvent<'a>) {
        let Some(organization) = self.verdict.organization.and_then(|slug| self.snapshot.by_slug(slug)) else {
            return self.no_organization(steps, event.payload.tenant);
        };
        steps.say(Mark::Passed, format!("organization {}", organization.slug));
        steps.by("settings slug, app_id");
        steps.say(Mark::Fact, enforcement(organization, self.snapshot));
        steps.by("settings enforcement");
        let credentials = &event.payload.credentials;
        if let Some(token) = credentials.token {
            self.token(steps, organization, token);
            self.token_checks(steps, event, organization);
        } else if credentials.user_hash.is_some() {
            steps.say(Mark::Fact, "proof: userHash, the HMAC of the identifier");
            for secret in &organization.identity_secrets {
                steps.say(Mark::Fact, format!("identity secret {}: {}", secret.id, self.standing(secret.validity)));
            }
            self.hash_checks(steps, event);
        } else {
            steps.say(Mark::Fact, "proof: none");
        }
        self.proven(steps);
    }

    /// Tells the name by which no organization was found, and which there are.
    fn no_organization(&self, steps: &mut Steps, tenant: Tenant<'_>) {
        let sought = |field: &str| self.verdict.detail == Some(Detail::Field { field });
        let (what, name) = match tenant {
            _ if self.verdict.reason != Some(Reason::UnknownOrganization) => return,
            Tenant { organization: Some(slug), .. } if sought("organization") => ("no organization ", slug),
            Tenant { app_id: Some(app_id), .. } if sought("appId") => ("no organization with the app id ", app_id),
            _ => return,
        };
        steps.add(Mark::Failed, [words(what), theirs(name), words("; "), theirs(judging::known(self.snapshot, name))]);
        steps.by("settings slug, app_id");
    }

    fn token(&self, steps: &mut Steps, organization: &Organization, token: Value<'a>) {
        let limits = &self.snapshot.policy().limits;
        let opened = token.as_text().map(|token| jws::open(self.arena, token, limits));
        let Some(Ok((_, header))) = opened else {
            steps.say(Mark::Fact, "proof: a token whose header cannot be read");
            return;
        };
        let named = organization.jwt_keys.iter().find(|key| Some(key.id.as_str()) == header.kid);
        let alg = if Algorithm::from_alg(header.alg).is_some() { words(header.alg) } else { theirs(header.alg) };
        let mut parts = vec![words("proof: a token; its header says "), alg];
        match header.kid {
            None => parts.push(words(", no kid")),
            Some(kid) => parts.extend([words(", kid "), if named.is_some() { words(kid) } else { theirs(kid) }]),
        }
        steps.add(Mark::Fact, parts);
        let tried = |key: &&JwtKey| named.is_none_or(|named| std::ptr::eq(named, *key));
        for key in organization.jwt_keys.iter().filter(tried) {
            let fits = Algorithm::from_alg(header.alg) == Some(key.algorithm);
            let fits = if fits { "" } else { ", of another algorithm than the token says" };
            let (id, alg) = (&key.id, key.algorithm.alg());
            steps.say(Mark::Fact, format!("key {id} ({alg}): {}{fits}", self.standing(key.validity)));
            steps.by(if named.is_some() {
                "RFC 7515 §4.1.4, named by kid"
            } else {
                "RFC 7515 §6, tried newest first"
            });
        }
    }

    fn standing(&self, validity: Validity) -> String {
        let time = |time: Option<EventTime>| time.map(|time| time.to_string()).unwrap_or_default();
        match validity.at(self.verdict.event.time) {
            Standing::Valid => "valid at the time of the event".to_owned(),
            Standing::NotYet => format!("valid from {} only", time(validity.from)),
            Standing::Retired => format!("retired at {}", time(validity.retired)),
            Standing::Revoked => "revoked".to_owned(),
        }
    }

    /// Whether verify let the event through.
    fn passed(&self) -> bool {
        self.verdict.reason.is_none_or(|reason| reason.stage() == Stage::Decide)
    }

    /// How the proof ended; a failed one is told with the verdict's reason.
    fn proven(&self, steps: &mut Steps) {
        let verification = self.verdict.verification;
        match verification.status {
            Some(Status::Verified) => {
                let what = match verification.method {
                    Method::Jwt => "the token's signature and claims hold",
                    Method::Hmac | Method::None => "the hash is that of the identifier; attributes stay unsigned",
                };
                let key = verification.key_id.unwrap_or_default();
                steps.say(Mark::Passed, format!("{what}, by key {key}"));
            }
            Some(Status::Unverified) if self.passed() => {
                steps.say(Mark::Passed, "the identity is accepted as unverified");
            }
            Some(Status::Anonymous) if self.passed() => steps.say(Mark::Passed, "no identity is claimed"),
            _ => return,
        }
        let mut parts = vec![words("it is about ")];
        parts.extend(named(&self.verdict.user));
        steps.add(Mark::Passed, parts);
        if let Some(reason) = verification.would_reject {
            steps.say(Mark::Failed, format!("would be rejected if proof were enforced, {reason}"));
            steps.explain(reason.meaning());
            steps.explain(reason.advice());
        }
    }
}

fn enforcement(organization: &Organization, snapshot: &Snapshot) -> String {
    let held = organization.enforcement_under(snapshot.policy());
    let what = match held {
        Enforcement::Enforced => "enforcement: enforced, an identity without proof is rejected",
        Enforcement::Observe => "enforcement: observe, an identity without proof is accepted and marked",
        Enforcement::Off => "enforcement: off, an identity without proof is accepted",
    };
    let ignored =
        if held == organization.enforcement { "" } else { " (off counts only where the deployment allows it)" };
    format!("{what}{ignored}")
}
