//! A text from the environment or a flag, read by the type of the key's default: a password of digits stays a text.

use toml::{Table, Value};

use super::layers::{OPEN_TABLES, flatten};

/// The values that a text gives, by their keys; of an [open table](OPEN_TABLES) several. A key without a default keeps the
/// text, to be refused by those who know every key.
///
/// # Errors
/// What was expected.
pub(super) fn read(key: &str, text: &str, default: Option<&Value>) -> Result<Vec<(String, Value)>, &'static str> {
    if OPEN_TABLES.contains(&key) {
        let table =
            inline(text).filter(Value::is_table).ok_or(r#"expected an inline table, as in {"name" = "value"}"#)?;
        return Ok(flatten(Table::from_iter([(key.to_owned(), table)])));
    }
    let value = match default {
        Some(Value::Integer(_)) => {
            let number = text.trim().replace('_', "").parse().map_err(|_| "expected a whole number")?;
            Value::Integer(number)
        }
        Some(Value::Boolean(_)) => Value::Boolean(text.trim().parse().map_err(|_| "expected true or false")?),
        Some(Value::Array(_)) => list(text).ok_or("expected names with commas between them")?,
        _ => Value::String(text.to_owned()),
    };
    Ok(vec![(key.to_owned(), value)])
}

/// Names with commas between them, or a TOML list.
fn list(text: &str) -> Option<Value> {
    if text.trim_start().starts_with('[') {
        return inline(text);
    }
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    Some(Value::Array(names.map(|name| Value::String(name.to_owned())).collect()))
}

/// A value as TOML writes it.
fn inline(text: &str) -> Option<Value> {
    format!("value = {text}").parse::<Table>().ok()?.remove("value")
}
