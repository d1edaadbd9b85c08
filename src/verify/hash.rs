//! The older proof: HMAC-SHA256 of an identifier under the organization's identity secret, in hex. It proves that
//! identifier alone, and never expires.

use super::{Case, Proof, keys};
use crate::domain::{EventTime, Organization, Reason, Rejection, Value, snapshot::IdentitySecret, verdict::Method};

/// Bytes of an HMAC-SHA256.
const MAC_BYTES: usize = 32;

/// Verifies `userHash` over `userId` where it was sent, else over `email`.
pub(super) fn verify<'a>(case: &Case<'_, 'a>, hash: Value<'a>) -> Result<Proof<'a>, Rejection<'a>> {
    let mac = parse(hash).ok_or(Reason::HashMalformed)?;
    let user = case.event.payload.user;
    let identifier = user.user_id.or(user.email).ok_or(Reason::HashWithoutIdentity)?;
    let secret = find(case.organization, identifier, &mac, case.event.head.time)?;
    Ok(Proof { method: Method::Hmac, key_id: &secret.id, claims: None })
}

/// The identity secret under which `mac` is that of `identifier`. The valid ones are tried newest first, then the others,
/// to say that the secret is at fault.
///
/// # Errors
/// [`Reason::HashMismatch`], the reason for which the secret is not honoured, or that there is none.
pub fn find<'a>(
    organization: &'a Organization,
    identifier: &str,
    mac: &[u8],
    time: EventTime,
) -> Result<&'a IdentitySecret, Reason> {
    const TRIES: usize = 10;
    let secrets = &organization.identity_secrets;
    let unusable = |secret: &IdentitySecret| keys::unusable(secret.validity.at(time));
    let valid = secrets.iter().filter(|secret| unusable(secret).is_none());
    let others = secrets.iter().filter(|secret| unusable(secret).is_some());
    let matches = |secret: &&IdentitySecret| secret.state.verifies(identifier.as_bytes(), mac);
    match valid.clone().chain(others).take(TRIES).find(matches) {
        Some(secret) => unusable(secret).map_or(Ok(secret), Err),
        None if valid.count() == 0 => Err(Reason::IdentitySecretMissing),
        None => Err(Reason::HashMismatch),
    }
}

/// 64 hexadecimal digits of either case.
#[must_use]
pub fn parse(hash: Value<'_>) -> Option<[u8; MAC_BYTES]> {
    let digits = hash.as_text().filter(|text| text.len() == 2 * MAC_BYTES)?.as_bytes();
    let mut mac = [0; MAC_BYTES];
    for (byte, pair) in mac.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok())?;
            *byte = *byte << 4 | value;
        }
    }
    Some(mac)
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
