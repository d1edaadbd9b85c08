//! A JSON Web Token from its text to claims that can be believed, in the order of the reasons: form, header, key,
//! signature, claims, times, `aud` and `iss`, identity. The claims are not read before the signature holds.

use super::{Case, Proof, claims, identity, jws, keys, times};
use crate::{
    decode::{Origin, profile},
    domain::{Reason, Rejection, Value, verdict::Method},
};

/// Verifies the event's token at event time.
pub(super) fn verify<'a>(case: &Case<'_, 'a>, token: Value<'a>) -> Result<Proof<'a>, Rejection<'a>> {
    let Case { context, event, organization } = case;
    let limits = &context.policy.limits;
    let text = token.as_text().ok_or(Reason::TokenMalformed)?;
    let (token, header) = jws::open(context.arena, text, limits)?;
    let key = keys::select(organization, &header, &token, event.head.time)?;
    let claims = token.claims(context.arena, limits)?;
    let (profile, found) = profile::fold(context.arena, claims, Origin::Claims, limits);
    if let Some(rejection) = found {
        return Err(rejection);
    }
    times::check(claims, &organization.token, event.head.time, context.policy.leeway_s)?;
    claims::check(claims, &organization.token)?;
    identity::check(&profile, &event.payload, organization)?;
    Ok(Proof { method: Method::Jwt, key_id: &key.id, claims: Some(profile) })
}
