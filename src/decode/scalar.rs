//! Identities and tenants: a text, or an integer taken as its digits. Null and the empty text are absent.

use crate::domain::{Arena, Detail, Limits, Reason, Rejection, Value, text::dots};

/// Reads `value` of `field` as an identity.
///
/// # Errors
/// Any other type ([`Reason::InvalidIdentity`]), U+0000 or a token ([`Reason::InvalidText`]), or more characters than a name
/// may have ([`Reason::NameTooLong`]).
pub(super) fn identity<'a>(
    value: Value<'a>,
    field: &'static str,
    limits: &Limits,
) -> Result<Option<&'a str>, Rejection<'a>> {
    let text = match value {
        Value::Null | Value::Text("") => return Ok(None),
        Value::Text(text) => text,
        Value::Number(digits) if is_integer(digits) => digits,
        _ => return Err(Rejection::at(Reason::InvalidIdentity, field)),
    };
    if is_unfit(text) {
        return Err(Rejection::at(Reason::InvalidText, field));
    }
    match too_long(text, limits.name_chars) {
        None => Ok(Some(text)),
        Some(size) => {
            Err(Rejection::with(Reason::NameTooLong, Detail::FieldLimit { field, limit: limits.name_chars, size }))
        }
    }
}

/// Whether an attribute may have this name: short enough, and one that may be passed on.
pub(super) fn usable_name(name: &str, limits: &Limits) -> bool {
    too_long(name, limits.name_chars).is_none() && !is_unfit(name)
}

/// A text that is passed on nowhere: one with U+0000, which databases downstream cannot store, or with a token.
pub(crate) fn is_unfit(text: &str) -> bool {
    text.as_bytes().contains(&0) || holds_token(text)
}

/// The same of a text that was read from a JSON text, and from nowhere else: not from a header, which may have any byte.
#[inline]
pub(crate) fn is_unfit_in_json(arena: &Arena, text: &str) -> bool {
    (arena.noted_nul() && text.as_bytes().contains(&0)) || holds_token(text)
}

/// The bytes of the shortest token, whose header is `{"alg":""}` (RFC 7515 §4.1.1).
const SHORTEST: usize = 16;

/// Whether a token stands in a text, alone or amid others (`Bearer …`, a URL): a credential, wherever it stands.
#[inline]
fn holds_token(text: &str) -> bool {
    text.len() >= SHORTEST && dots(text.as_bytes()) >= 2 && text.as_bytes().split(is_foreign).any(is_compact)
}

/// What no token has: base64url and dots alone spell one.
fn is_foreign(byte: &u8) -> bool {
    !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_' | b'.')
}

/// Whether a word has a token's header and after it two more parts, as a signed token does (RFC 7515 §7.1), or more, as an encrypted one
/// does (RFC 7516 §7.1). Headers begin with `{"` as libraries write them, which is `eyJ` in base64url and may have letters before it, or
/// with white space around the brace.
fn is_compact(word: &[u8]) -> bool {
    let parts = || word.split(|byte| *byte == b'.');
    let is_header = |part: &[u8]| part.windows(3).any(|three| three == b"eyJ") || begins_header(part);
    word.len() >= SHORTEST && parts().take(parts().count().saturating_sub(2)).any(is_header)
}

/// Whether what a part says in base64url begins as an object with a name does, with white space where JSON allows it
/// (RFC 8259 §2).
fn begins_header(part: &[u8]) -> bool {
    let (mut bits, mut held) = (0_u32, 0);
    let bytes = part.iter().filter_map(|&digit| {
        (bits, held) = (bits << 6 | sextet(digit), held + 6);
        (held >= 8).then(|| {
            held -= 8;
            (bits >> held).to_le_bytes()[0]
        })
    });
    let mut solid = bytes.filter(|byte| !b" \t\r\n".contains(byte));
    solid.next() == Some(b'{') && solid.next() == Some(b'"')
}

/// What a digit of base64url stands for (RFC 4648 §5).
fn sextet(digit: u8) -> u32 {
    u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'-' => 62,
        _ => 63,
    })
}

/// How many Unicode scalar values `text` has, if more than `limit`. A text of fewer bytes is not counted.
pub(crate) fn too_long(text: &str, limit: usize) -> Option<usize> {
    if text.len() <= limit {
        return None;
    }
    Some(text.chars().count()).filter(|size| *size > limit)
}

fn is_integer(digits: &str) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_or_an_integer_is_an_identity_and_nothing_else_is() {
        let limits = Limits { name_chars: 5, ..Limits::default() };
        let read = |value| identity(value, "userId", &limits).map_err(|rejection| rejection.reason);
        assert_eq!(read(Value::Text("é😀x")), Ok(Some("é😀x")));
        assert_eq!(read(Value::Number("-12")), Ok(Some("-12")));
        assert_eq!(read(Value::Null), Ok(None));
        assert_eq!(read(Value::Text("")), Ok(None));
        for value in [Value::Number("1.0"), Value::Number("1e3"), Value::Bool(true), Value::List(&[])] {
            assert_eq!(read(value), Err(Reason::InvalidIdentity), "{value:?}");
        }
        assert_eq!(read(Value::Text("a\0b")), Err(Reason::InvalidText));
        assert_eq!(read(Value::Text("eyJhbGciOiJub25lIn0.e30.")), Err(Reason::InvalidText));
        assert_eq!(read(Value::Text("éééééé")), Err(Reason::NameTooLong));
        assert_eq!(read(Value::Number("123456")), Err(Reason::NameTooLong));
    }

    #[test]
    fn a_token_is_told_by_its_form() {
        for token in [
            "eyJhbGciOiJ9.eyJi.c2ln",
            "eyJhbGciOiJ9.eyJi.",
            "eyJhbGciOiJ9..c2-_",
            "eyJhbGciOiJ9.a.b.c.d",
            "ewogICJhbGciOiJIUzI1NiJ9.e30.c2ln",
            "IHsgImFsZyI6IkhTMjU2In0.e30.",
            "DQoJeyJhbGciOiJ9.e30.x",
            "eyJhbGciOiJ9.eyJi.c2ln?",
            "eyJhbGciOiJ9.eyJi.c2ln ",
            "eyJhbGciOiJ9.eyJi.c2ln=",
            "eyJhbGciOiJ9.eyJi.c2ln.",
            "eyJhbGciOiJ9.a.b.c",
            "Bearer eyJhbGciOiJ9.eyJi.c2ln",
            "https://a.example/?jwt=eyJhbGciOiJ9.eyJi.c2ln&x=1",
            "init_eyJhbGciOiJ9.eyJi.c2ln",
            "www.a.example/eyJhbGciOiJ9.eyJi.c2ln",
            "jwt:ewogICJhbGciOiJIUzI1NiJ9.e30.c2ln",
            "é.eyJhbGciOiJ9.eyJi.c2ln",
        ] {
            assert!(is_unfit(token), "{token}");
        }
        for text in [
            "eyJ",
            "eyJhbGciOiJ9.eyJi",
            "a.b.c",
            "a.b.eyJh",
            "eyJh b.c. eyJhbGciOiJ9.d",
            "https://cdn.acme.example/x.png?size=1.5",
            "eyj.a.b",
            "ey\u{e9}.a.b",
            "eyes.on.you",
            "e.g.x",
            "Ibiza.is.nice",
            "Company.example.org",
            "ewe..",
            "..",
        ] {
            assert!(!is_unfit(text), "{text}");
        }
    }
}
