//! 3. Unverified to verified. Pure.
//!
//! `organization → proof (token, else hash, else none) → enforcement`. Only this module makes a [`Verified`], so that
//! holding one means that every check has passed or that the organization's enforcement let the event through without.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod claims;
mod diagnosis;
mod enforcement;
pub mod hash;
mod identity;
pub mod jws;
mod keys;
pub mod organization;
mod times;
pub mod token;

use crate::{
    decode::{Context, Profile, UnverifiedEvent},
    domain::{
        EventTime, Organization, Reason, Rejection, Snapshot,
        verdict::{Method, Status, User, Verification},
    },
};

/// An event whose identity is settled.
#[derive(Clone, Copy)]
pub struct Verified<'a> {
    /// The tenant.
    pub organization: &'a Organization,
    /// Whom the event concerns: what is proven, or under `observe` and `off` what is claimed.
    pub user: User<'a>,
    /// How it was proven.
    pub verification: Verification<'a>,
    /// The claims of the token that verified.
    pub signed: Option<Profile<'a>>,
    /// What the client sent beside it.
    pub unsigned: Profile<'a>,
    /// An e-mail that the proof does not cover: an attribute like any other.
    pub stray_email: Option<&'a str>,
    /// A user id that the proof does not cover: dropped.
    pub stray_user_id: Option<&'a str>,
    /// Event time.
    pub time: EventTime,
    /// That it was made here.
    _settled: Settled,
}

/// Nobody else can make one.
#[derive(Clone, Copy)]
struct Settled;

/// Leaves out what a person sent.
impl std::fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (user, verification) = (&self.user, &self.verification);
        f.debug_struct("Verified").field("user", user).field("verification", verification).finish_non_exhaustive()
    }
}

/// An event that verify rejects, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Unproven<'a> {
    /// The tenant, once it is known.
    pub organization: Option<&'a Organization>,
    /// Whom the event concerns: what is proven, or else what the payload claims, never what a failed token does.
    pub user: User<'a>,
    /// What proof was looked at, and how it ended.
    pub verification: Verification<'a>,
    /// Why the event is rejected.
    pub rejection: Rejection<'a>,
}

/// A proof that holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proof<'a> {
    pub(crate) method: Method,
    pub(crate) key_id: &'a str,
    pub(crate) claims: Option<Profile<'a>>,
}

/// A proof that was given and does not hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailedProof<'a> {
    pub(crate) method: Method,
    pub(crate) rejection: Rejection<'a>,
}

/// Settles whom the event concerns.
///
/// # Errors
/// [`Unproven`], with the first reason of the stage that applies.
pub fn verify<'a>(
    context: &Context<'a>,
    event: &UnverifiedEvent<'a>,
    snapshot: &'a Snapshot,
) -> Result<Verified<'a>, Unproven<'a>> {
    let organization = organization::find(&event.payload.tenant, snapshot).map_err(|rejection| Unproven {
        organization: None,
        user: event.payload.user,
        verification: UNSEEN,
        rejection,
    })?;
    organization.touch();
    let case = Case { context, event, organization };
    match prove(&case) {
        Ok(Some(proof)) => case.covered(&proof),
        Ok(None) => enforcement::without_proof(&case, None),
        Err(failed) => enforcement::without_proof(&case, Some(failed)),
    }
}

/// The event before its proof was looked at.
const UNSEEN: Verification<'static> =
    Verification { method: Method::None, status: None, key_id: None, would_reject: None };

/// One event before its organization's keys.
pub(crate) struct Case<'c, 'a> {
    pub(crate) context: &'c Context<'a>,
    pub(crate) event: &'c UnverifiedEvent<'a>,
    pub(crate) organization: &'a Organization,
}

/// A token must verify; only without one a hash is looked at. A failed proof never falls back to a weaker one.
fn prove<'a>(case: &Case<'_, 'a>) -> Result<Option<Proof<'a>>, FailedProof<'a>> {
    let credentials = &case.event.payload.credentials;
    if credentials.conflicting_tokens {
        return Err(FailedProof { method: Method::Jwt, rejection: Reason::ConflictingTokens.into() });
    }
    if let Some(token) = credentials.token {
        return token::verify(case, token).map(Some).map_err(|rejection| FailedProof {
            method: Method::Jwt,
            rejection: diagnosis::of_token(case, token, rejection),
        });
    }
    if let Some(hash) = credentials.user_hash {
        return hash::verify(case, hash).map(Some).map_err(|rejection| FailedProof {
            method: Method::Hmac,
            rejection: diagnosis::of_hash(case, hash, rejection),
        });
    }
    Ok(None)
}

impl<'a> Case<'_, 'a> {
    /// The event with what its proof covers. An identity beside the proof is not kept as one.
    fn covered(&self, proof: &Proof<'a>) -> Result<Verified<'a>, Unproven<'a>> {
        let unsigned = self.event.payload;
        let sent = unsigned.user;
        let covered = match &proof.claims {
            Some(claims) => claims.user,
            None if sent.user_id.is_some() => User { user_id: sent.user_id, ..User::default() },
            None => User { email: sent.email, ..User::default() },
        };
        let verification = Verification {
            method: proof.method,
            status: Some(Status::Verified),
            key_id: Some(proof.key_id),
            would_reject: None,
        };
        let verified = Verified {
            organization: self.organization,
            user: User { anonymous_id: sent.anonymous_id, ..covered },
            verification,
            signed: proof.claims,
            unsigned,
            stray_email: sent.email.filter(|_| covered.email.is_none()),
            stray_user_id: sent.user_id.filter(|_| covered.user_id.is_none()),
            time: self.event.head.time,
            _settled: Settled,
        };
        self.within_limit(&verified).map(|()| verified)
    }

    /// The limit of attributes and companies is about all of them, signed and unsigned. An identity that the proof does not
    /// cover is ruled on as an attribute is, and counts as one.
    fn within_limit(&self, verified: &Verified<'a>) -> Result<(), Unproven<'a>> {
        let limits = &self.context.policy.limits;
        let claims = verified.signed.unwrap_or_default();
        let stray = usize::from(verified.stray_email.is_some()) + usize::from(verified.stray_user_id.is_some());
        let attributes = claims.attribute_count() + verified.unsigned.attribute_count() + stray;
        let companies = claims.membership.entries.len() + verified.unsigned.membership.entries.len();
        let over = crate::decode::over(Reason::TooManyAttributes, limits.attributes, attributes)
            .or_else(|| crate::decode::over(Reason::TooManyCompanies, limits.companies, companies));
        let Verified { user, verification, .. } = *verified;
        over.map_or(Ok(()), |rejection| {
            Err(Unproven { organization: Some(self.organization), user, verification, rejection })
        })
    }
}
