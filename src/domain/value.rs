//! A JSON value that borrows: texts point into the record or the arena, numbers keep their digits as written, lists and
//! objects are slices. Everything is `Copy`, so a value moves from a token to a verdict without being cloned.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

/// A JSON value (RFC 8259).
///
/// The tag takes a whole word. As a byte it leaves seven beside it that every copy moves in pieces, each waiting for the store
/// before it: a tenth of a judgement.
#[derive(Clone, Copy, PartialEq)]
#[repr(u64)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// The digits as they were written; `1.0` and `1` are different texts.
    Number(&'a str),
    /// The text with its escapes resolved.
    Text(&'a str),
    /// The elements in their order.
    List(&'a [Self]),
    /// The members in their order, each name once.
    Object(Object<'a>),
}

/// A member of an object.
#[derive(Clone, Copy, PartialEq)]
pub struct Member<'a> {
    /// The name, escapes resolved.
    pub name: &'a str,
    /// The value.
    pub value: Value<'a>,
}

/// An object without duplicate names, in the order it was written.
#[derive(Clone, Copy, Default)]
pub struct Object<'a>(pub &'a [Member<'a>]);

/// The same members in whatever order: an object is unordered (RFC 8259 §4).
impl PartialEq for Object<'_> {
    fn eq(&self, other: &Self) -> bool {
        let by_name = |object: &Self| {
            let mut members = object.0.to_vec();
            members.sort_unstable_by_key(|member| member.name);
            members
        };
        self.0.len() == other.0.len() && by_name(self) == by_name(other)
    }
}

impl<'a> Object<'a> {
    /// The value of the member of this exact name.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.0.iter().find(|member| member.name == name).map(|member| member.value)
    }
}

impl<'a> Value<'a> {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(self) -> Option<&'a str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(self) -> Option<Object<'a>> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// The number as a double, if it is a number within a double's range.
    #[must_use]
    pub fn as_double(self) -> Option<f64> {
        let Value::Number(digits) = self else { return None };
        digits.parse().ok().filter(|double: &f64| double.is_finite())
    }

    /// The JSON name of the value's type.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Text(_) => "text",
            Value::List(_) => "list",
            Value::Object(_) => "object",
        }
    }
}

/// Prints the shape alone: a value is personal data and must not reach a log by way of `{:?}`.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::List(items) => write!(f, "list of {}", items.len()),
            Value::Object(object) => write!(f, "object of {}", object.0.len()),
            other => f.write_str(other.type_name()),
        }
    }
}

impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::Object(*self).fmt(f)
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for member in self.0 {
            map.serialize_entry(member.name, &member.value)?;
        }
        map.end()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            // The only way through serde that keeps the digits; the text was a JSON number when it was read.
            Value::Number(digits) => {
                serde_json::from_str::<&RawValue>(digits).map_err(serde::ser::Error::custom)?.serialize(serializer)
            }
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => serializer.collect_seq(*items),
            Value::Object(object) => object.serialize(serializer),
        }
    }
}

impl JsonSchema for Value<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Any JSON value, its numbers with the digits that were sent." })
    }
}
