//! Identities and tenants: a text, or an integer taken as its digits. Null and the empty text are absent.

use crate::domain::{Arena, Detail, Limits, Reason, Rejection, Value, text::has_nul};

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

/// A text that is passed on nowhere: one with U+0000, which databases downstream cannot store, or a token.
pub(crate) fn is_unfit(text: &str) -> bool {
    has_nul(text.as_bytes()) || is_token(text)
}

/// The same of a text that was read from a JSON text, and from nowhere else: not from a header, which may have any byte.
#[inline]
pub(crate) fn is_unfit_in_json(arena: &Arena, text: &str) -> bool {
    (arena.noted_nul() && has_nul(text.as_bytes())) || is_token(text)
}

/// Whether a text has the form of a token: a credential, wherever it stands. Headers begin with `{"`, as libraries write them,
/// which is `eyJ` in base64url, or with white space around the brace; three parts are a signed token (RFC 7515 §7.1), five an
/// encrypted one (RFC 7516 §7.1).
fn is_token(text: &str) -> bool {
    text.as_bytes().first().is_some_and(|first| FIRST >> (first % 64) & 1 == 1) && is_compact(text)
}

/// A bit for each byte that a brace or a blank begins with in base64url, modulo 64: whoever tests one bit guesses wrong less often than
/// one who compares with one byte after another.
const FIRST: u64 = 1 << (b'e' % 64) | 1 << (b'I' % 64) | 1 << (b'C' % 64) | 1 << (b'D' % 64);

/// Asked of every text that begins so: what tells a word from a token at once comes first.
fn is_compact(text: &str) -> bool {
    let spelled = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    begins_header(text) && text.bytes().all(spelled) && matches!(text.split('.').count(), 3 | 5)
}

/// Whether what the first part says in base64url begins as an object with a name does, with white space where JSON allows it
/// (RFC 8259 §2).
fn begins_header(text: &str) -> bool {
    let (mut bits, mut held) = (0_u32, 0);
    let bytes = text.bytes().take_while(|digit| *digit != b'.').filter_map(|digit| {
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
            "eyJh.eyJi.c2ln",
            "eyJh.eyJi.",
            "eyJh..c2-_",
            "eyJh.a.b.c.d",
            "ewogICJhbGciOiJIUzI1NiJ9.e30.c2ln",
            "IHsgImFsZyI6IkhTMjU2In0.e30.",
            "DQoJeyJ9.e30.x",
        ] {
            assert!(is_unfit(token), "{token}");
        }
        for text in [
            "eyJ",
            "eyJh.eyJi",
            "eyJh.a.b.c",
            "eyJh.eyJi.c2ln?",
            "eyJh.eyJi.c2ln ",
            "a.b.c",
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
