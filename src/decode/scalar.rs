//! Identities and tenants: a text, or an integer taken as its digits. Null and the empty text are absent.

use crate::domain::{Detail, Limits, Reason, Rejection, Value};

/// Reads `value` of `field` as an identity.
///
/// # Errors
/// Any other type ([`Reason::InvalidIdentity`]), U+0000 ([`Reason::InvalidText`]), or more characters than a name may
/// have ([`Reason::NameTooLong`]).
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
    if holds_nul(text) {
        return Err(Rejection::at(Reason::InvalidText, field));
    }
    match too_long(text, limits.name_chars) {
        None => Ok(Some(text)),
        Some(size) => {
            Err(Rejection::with(Reason::NameTooLong, Detail::FieldLimit { field, limit: limits.name_chars, size }))
        }
    }
}

/// Whether an attribute may have this name: short enough, and one that databases downstream can store.
pub(super) fn usable_name(name: &str, limits: &Limits) -> bool {
    too_long(name, limits.name_chars).is_none() && !holds_nul(name)
}

/// U+0000, which databases downstream cannot store.
pub(crate) fn holds_nul(text: &str) -> bool {
    text.as_bytes().contains(&0)
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
        assert_eq!(read(Value::Text("éééééé")), Err(Reason::NameTooLong));
        assert_eq!(read(Value::Number("123456")), Err(Reason::NameTooLong));
    }
}
