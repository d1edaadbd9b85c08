//! The older proof: HMAC-SHA256 of an identifier under the organization's identity secret, in hex. It proves that
//! identifier alone, and never expires.

use super::{Case, Proof, keys};
use crate::domain::{
    EventTime, Organization, Reason, Rejection, Value, hex, snapshot::IdentitySecret, verdict::Method,
};

/// Bytes of an HMAC-SHA256.
const MAC_BYTES: usize = 32;

/// The most valid secrets that are tried for one hash; settings refuse more.
const VALID: usize = 10;

/// Verifies `userHash` over `userId` where it was sent, else over `email`.
pub(super) fn verify<'a>(case: &Case<'_, 'a>, hash: Value<'a>) -> Result<Proof<'a>, Rejection<'a>> {
    let mac = parse(hash).ok_or(Reason::HashMalformed)?;
    let user = case.event.payload.user;
    let identifier = user.user_id.or(user.email).ok_or(Reason::HashWithoutIdentity)?;
    let secret = Tries::new(case.organization, case.event.head.time, 1).find(identifier, &mac)?;
    Ok(Proof { method: Method::Hmac, key_id: &secret.id, claims: None })
}

/// The tries that hashes of one event have with an organization's identity secrets. A right hash costs one try and may come
/// as often as it likes; what fails is bounded for the event as a whole, so that fifty forged hashes of companies against
/// ten secrets cost no more than fifty right ones do.
pub struct Tries<'a> {
    organization: &'a Organization,
    time: EventTime,
    /// The secret that verified last: whoever made one hash of an event made the others with it.
    last: Option<&'a IdentitySecret>,
    /// How many may still be begun, but for those that verify.
    failures: usize,
    /// How many secrets that are not honoured may still be tried, to say that the secret is at fault.
    spare: usize,
}

impl<'a> Tries<'a> {
    /// All tries of an event with so many hashes. Twice as many may fail, so that a sender amidst a rotation passes with up to
    /// three secrets, however they are mixed; and always enough to find the secret of the first.
    #[must_use]
    pub fn new(organization: &'a Organization, time: EventTime, hashes: usize) -> Self {
        // One more: after as many failures as are allowed the next try may be a right one.
        let failures = 2 * hashes.max(VALID) + 1;
        Self { organization, time, last: None, failures, spare: keys::SPARE }
    }

    /// The identity secret under which `mac` is that of `identifier`: the one that verified last, then the valid ones newest
    /// first, then the others as [`keys::not_honoured`] has them.
    ///
    /// # Errors
    /// [`Reason::HashMismatch`], the reason for which the secret is not honoured, that there is none, or that too many
    /// hashes of the event have failed ([`Reason::CompanyHashUnchecked`]).
    pub fn find(&mut self, identifier: &str, mac: &[u8]) -> Result<&'a IdentitySecret, Reason> {
        let secrets = &self.organization.identity_secrets;
        let time = self.time;
        let unusable = |secret: &IdentitySecret| keys::unusable(secret.validity.at(time));
        let valid = secrets.iter().filter(|secret| unusable(secret).is_none()).take(VALID);
        let of = |standing| secrets.iter().filter(move |secret| secret.validity.at(time) == standing);
        let others = keys::not_honoured(keys::SPARE, of);
        let missing = valid.clone().next().is_none();
        let last = self.last;
        let is_last = |secret: &IdentitySecret| last.is_some_and(|last| std::ptr::eq(last, secret));
        for secret in last.into_iter().chain(valid.chain(others).filter(|secret| !is_last(secret))) {
            let fault = unusable(secret);
            if fault.is_some() && !is_last(secret) {
                let Some(left) = self.spare.checked_sub(1) else { break };
                self.spare = left;
            }
            if self.verifies(secret, identifier, mac)? {
                return fault.map_or(Ok(secret), Err);
            }
        }
        Err(if missing { Reason::IdentitySecretMissing } else { Reason::HashMismatch })
    }

    /// One try.
    fn verifies(&mut self, secret: &'a IdentitySecret, identifier: &str, mac: &[u8]) -> Result<bool, Reason> {
        let left = self.failures.checked_sub(1).ok_or(Reason::CompanyHashUnchecked)?;
        let verified = secret.state.verifies(identifier.as_bytes(), mac);
        if verified {
            self.last = Some(secret);
        } else {
            self.failures = left;
        }
        Ok(verified)
    }
}

/// 64 hexadecimal digits of either case.
#[must_use]
pub fn parse(hash: Value<'_>) -> Option<[u8; MAC_BYTES]> {
    hex::decode(hash.as_text()?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_hexadecimal_digits_are_a_hash() {
        let hash = "b6c5f6c4d23a200c7de9762cbd6261ad2f1325ec96d564755b5c6927012aee1a";
        assert!(parse(Value::Text(hash)).is_some());
        assert_eq!(parse(Value::Text(hash)), parse(Value::Text(&hash.to_uppercase())));
        let spaced = format!(" {hash}");
        let wrong = hash.replace('b', "g");
        let sharp = "ß".repeat(32);
        for text in [&hash[1..], &spaced, &wrong, "", &sharp] {
            assert_eq!(parse(Value::Text(text)), None, "{text}");
        }
        assert_eq!(parse(Value::Number("1")), None);
    }
}
