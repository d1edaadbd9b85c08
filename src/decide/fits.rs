//! Whether a value fits its attribute's type. Nothing is converted but dates: a consumer downstream must be able to trust
//! that what it reads is what was sent.
//!
//! | type | takes | `"12"` | `12` | `null` | `""` |
//! |---|---|---|---|---|---|
//! | text | a text within the length, one of the options | set | `wrong_type`, hint | unset | set |
//! | number | a number within a double's range, digits kept | `wrong_type`, hint | set | unset | `wrong_type` |
//! | boolean | `true`, `false` | `wrong_type` | `wrong_type` | unset | `wrong_type` |
//! | date | ISO 8601 (no zone: UTC), JavaScript's UTC string, seconds, from 10¹¹ on milliseconds, also as 9 to 13 digits of a text | `wrong_type` | set | unset | `wrong_type` |
//! | text list | a list of such texts | `wrong_type` | `wrong_type` | unset | `wrong_type` |

use super::{Candidate, Ruling};
use crate::{
    decode::{Context, scalar, time_of},
    domain::{
        Arena, Hint, Reason, Value,
        snapshot::{self, AttributeType},
    },
};

/// A value that does not fit: the reason, and what the sender probably meant.
type Misfit = (Reason, Option<Hint>);

/// Sets what fits, unsets on null, rejects the rest.
pub(super) fn rule<'a>(
    context: &Context<'a>,
    candidate: &Candidate<'a>,
    attribute: &snapshot::Attribute,
) -> Ruling<'a> {
    match candidate.item.value {
        Value::Null => Ruling::Unset,
        value => match fit(context.arena, value, &attribute.kind) {
            Ok(value) => Ruling::Set(value),
            Err((reason, hint)) => Ruling::Rejected(reason, hint),
        },
    }
}

/// The value as it is emitted: a date as RFC 3339, everything else as it was sent.
fn fit<'a>(arena: &'a Arena, value: Value<'a>, kind: &AttributeType) -> Result<Value<'a>, Misfit> {
    if is_unfit(arena, value) {
        return Err((Reason::InvalidText, None));
    }
    match (kind, value) {
        (AttributeType::Text { max_chars, options }, Value::Text(text)) => {
            text_fits(text, *max_chars, options).map(|()| value)
        }
        (AttributeType::TextList { max_chars, options }, Value::List(items)) => {
            let mut texts = items.iter().map(|item| item.as_text().ok_or(wrong_type(None)));
            texts.try_for_each(|text| text_fits(text?, *max_chars, options)).map(|()| value)
        }
        (AttributeType::Number, Value::Number(_)) if value.as_double().is_some() => Ok(value),
        (AttributeType::Boolean, Value::Bool(_)) => Ok(value),
        (AttributeType::Date, Value::Text(_) | Value::Number(_)) => {
            let time = time_of(value).ok_or(wrong_type(None))?;
            Ok(Value::Text(arena.text(time.text().as_str())))
        }
        _ => Err(wrong_type(meant(kind, value))),
    }
}

fn wrong_type(hint: Option<Hint>) -> Misfit {
    (Reason::WrongType, hint)
}

fn text_fits(text: &str, max_chars: usize, options: &[Box<str>]) -> Result<(), Misfit> {
    if scalar::too_long(text, max_chars).is_some() {
        return Err((Reason::TooLong, None));
    }
    // By halves: a list may hold a hundred thousand texts.
    if options.is_empty() || options.binary_search_by(|option| option.as_ref().cmp(text)).is_ok() {
        return Ok(());
    }
    let near = options.iter().any(|option| option.eq_ignore_ascii_case(text));
    Err((Reason::NotAnOption, near.then_some(Hint::OptionNearMiss)))
}

/// What the sender probably meant by a value of another type.
fn meant(kind: &AttributeType, value: Value<'_>) -> Option<Hint> {
    match (kind, value) {
        (AttributeType::Number, Value::Text(text)) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
            Some(Hint::NumberAsText)
        }
        (AttributeType::Boolean, Value::Text("true" | "false")) => Some(Hint::BooleanAsText),
        (AttributeType::Text { .. }, Value::Number(_)) => Some(Hint::TextAsNumber),
        _ => None,
    }
}

/// The text, or a text of the list, is passed on nowhere: it holds U+0000, or is a token.
fn is_unfit(arena: &Arena, value: Value<'_>) -> bool {
    let unfit = |text| scalar::is_unfit_in_json(arena, text);
    match value {
        Value::Text(text) => unfit(text),
        Value::List(items) => items.iter().any(|item| item.as_text().is_some_and(unfit)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::json;

    fn outcome(kind: &AttributeType, value: &str) -> String {
        let arena = Arena::new();
        match fit(&arena, json::parse(&arena, value, 4).unwrap(), kind) {
            Ok(value) => serde_json::to_string(&value).unwrap(),
            Err((reason, hint)) => {
                format!("{reason}{}", hint.map_or(String::new(), |hint| format!(" ({})", hint.code())))
            }
        }
    }

    #[test]
    fn nothing_is_converted_but_dates() {
        let options = vec!["Free".into(), "Pro".into()];
        let text = AttributeType::Text { max_chars: 5, options: vec![] };
        let option = AttributeType::Text { max_chars: 255, options: options.clone() };
        let list = AttributeType::TextList { max_chars: 5, options: vec![] };
        let option_list = AttributeType::TextList { max_chars: 255, options };
        for (kind, value, expected) in [
            (&text, r#""12""#, r#""12""#),
            (&text, r#""""#, r#""""#),
            (&text, "12", "wrong_type (text_as_number)"),
            (&text, "true", "wrong_type"),
            (&text, "{}", "wrong_type"),
            (&text, r#""éééééé""#, "too_long"),
            (&text, r#""ééééé""#, r#""ééééé""#),
            (&text, r#""a\u0000""#, "invalid_text"),
            (&text, r#""eyJhbGciOiJ9.eyJi.c2ln""#, "invalid_text"),
            (&option, r#""Pro""#, r#""Pro""#),
            (&option, r#""pro""#, "not_an_option (option_near_miss)"),
            (&option, r#""""#, "not_an_option"),
            (&AttributeType::Number, "9007199254740993", "9007199254740993"),
            (&AttributeType::Number, "1.50e+3", "1.50e+3"),
            (&AttributeType::Number, "1e999", "wrong_type"),
            (&AttributeType::Number, r#""12""#, "wrong_type (number_as_text)"),
            (&AttributeType::Number, r#""nan""#, "wrong_type"),
            (&AttributeType::Boolean, "false", "false"),
            (&AttributeType::Boolean, r#""true""#, "wrong_type (boolean_as_text)"),
            (&AttributeType::Boolean, "1", "wrong_type"),
            (&AttributeType::Date, r#""2026-11-22""#, r#""2026-11-22T00:00:00.000Z""#),
            (&AttributeType::Date, "1795341600", r#""2026-11-22T10:00:00.000Z""#),
            (&AttributeType::Date, "1795341600000", r#""2026-11-22T10:00:00.000Z""#),
            (&AttributeType::Date, r#""1795341600""#, r#""2026-11-22T10:00:00.000Z""#),
            (&AttributeType::Date, r#""1795341600000""#, r#""2026-11-22T10:00:00.000Z""#),
            (&AttributeType::Date, r#""20261122100000""#, "wrong_type"),
            (&AttributeType::Date, r#""-1795341600""#, "wrong_type"),
            (&AttributeType::Date, r#""Sun, 22 Nov 2026 10:00:00 GMT""#, r#""2026-11-22T10:00:00.000Z""#),
            (&AttributeType::Date, r#""12""#, "wrong_type"),
            (&AttributeType::Date, r#""""#, "wrong_type"),
            (&AttributeType::Date, "1e300", "wrong_type"),
            (&list, r#"["a",""]"#, r#"["a",""]"#),
            (&list, "[]", "[]"),
            (&list, r#"["a",1]"#, "wrong_type"),
            (&list, r#"["a",null]"#, "wrong_type"),
            (&list, r#""a""#, "wrong_type"),
            (&list, r#"["123456"]"#, "too_long"),
            (&list, r#"["a\u0000",1]"#, "invalid_text"),
            (&list, r#"["a","eyJhbGciOiJ9.eyJi.c2ln"]"#, "invalid_text"),
            (&option_list, r#"["Pro","Free"]"#, r#"["Pro","Free"]"#),
            (&option_list, r#"["Pro","Gold"]"#, "not_an_option"),
        ] {
            assert_eq!(outcome(kind, value), expected, "{value} as {kind:?}");
        }
    }
}
