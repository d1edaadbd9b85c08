//! Whether the claims name somebody, and the same one as the payload.

use super::organization;
use crate::{
    decode::Profile,
    domain::{Organization, Reason, Rejection},
};

/// Checks the tenant and the identity of claims against those of the payload. An e-mail is compared without ASCII case.
pub(super) fn check<'a>(
    claims: &Profile<'a>,
    payload: &Profile<'a>,
    organization: &Organization,
) -> Result<(), Rejection<'a>> {
    if !organization::agrees(&claims.tenant, organization) {
        return Err(Reason::OrganizationMismatch.into());
    }
    let (signed, sent) = (claims.user, payload.user);
    if signed.user_id.is_none() && signed.email.is_none() {
        return Err(Reason::TokenIdentityMissing.into());
    }
    if differ(signed.user_id, sent.user_id, str::eq) {
        return Err(Rejection::at(Reason::IdentityMismatch, "userId"));
    }
    if differ(signed.email, sent.email, str::eq_ignore_ascii_case) {
        return Err(Rejection::at(Reason::IdentityMismatch, "email"));
    }
    Ok(())
}

fn differ(signed: Option<&str>, sent: Option<&str>, equal: fn(&str, &str) -> bool) -> bool {
    matches!((signed, sent), (Some(signed), Some(sent)) if !equal(signed, sent))
}
