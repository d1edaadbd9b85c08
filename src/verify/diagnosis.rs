//! Why a proof failed, as far as a fixed number of tries can tell. A forged event pays for a few keyed hashes and no more,
//! and the verdict stays a function of its input.

use super::{Case, hash};
use crate::domain::{Hint, Reason, Rejection, Value};

/// The rejection of a token, with a hint.
pub(super) fn of_token<'a>(_case: &Case<'_, 'a>, token: Value<'a>, rejection: Rejection<'a>) -> Rejection<'a> {
    let hint = match rejection.reason {
        Reason::TokenMalformed if hash::parse(token).is_some() => Some(Hint::HashInToken),
        _ => None,
    };
    rejection.hinting(hint)
}

/// The rejection of a hash, with a hint.
pub(super) fn of_hash<'a>(case: &Case<'_, 'a>, hash: Value<'a>, rejection: Rejection<'a>) -> Rejection<'a> {
    let text = hash.as_text().unwrap_or_default();
    let user = case.event.payload.user;
    let hint = match rejection.reason {
        Reason::HashMalformed if text.bytes().filter(|byte| *byte == b'.').count() == 2 => Some(Hint::TokenInUserHash),
        Reason::HashMalformed if text.trim() != text => Some(Hint::HashHasBlanks),
        Reason::HashMismatch if user.user_id.is_some() && covers(case, hash, user.email) => Some(Hint::HashCoversEmail),
        _ => None,
    };
    rejection.hinting(hint)
}

fn covers(case: &Case<'_, '_>, hash: Value<'_>, identifier: Option<&str>) -> bool {
    let found = hash::parse(hash).zip(identifier);
    found.is_some_and(|(mac, identifier)| hash::find(case.organization, identifier, &mac, case.event.head.time).is_ok())
}
