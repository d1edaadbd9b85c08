//! Values as compact JSON (RFC 8259), byte for byte what `serde_json` makes of them, in half of its time: what an event cost in
//! encoding was the most after its judgement. Here a name of a field or of a variant, which is ours and needs no escape, is copied and not
//! looked through, and a text is looked through sixteen bytes at a time.
//!
//! It knows what verdicts are made of. Anything else (bytes, tuples, floating point) is an error and never a wrong text.

use serde::{
    Serialize,
    ser::{self, Impossible},
};
use serde_json::Error;

use crate::domain::text::plain_len;

/// How `serde_json` names its raw values, by which digits travel through serde as they were written.
const RAW: &str = "$serde_json::private::RawValue";

/// Appends `value` to `out`.
///
/// # Errors
/// Where the value holds something that verdicts don't.
pub(super) fn write(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Error> {
    value.serialize(Writer(out, Texts::Quoted))
}

/// One value to be written.
struct Writer<'o>(&'o mut Vec<u8>, Texts);

/// How a text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    /// As a JSON text.
    Quoted,
    /// As it is: JSON already.
    Raw,
}

/// A container that has begun.
struct Container<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    List,
    /// No container, but the text of its only field, raw.
    Raw,
}

impl<'o> Writer<'o> {
    fn raw(self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn open(self, kind: Kind) -> Container<'o> {
        match kind {
            Kind::Object => self.0.push(b'{'),
            Kind::List => self.0.push(b'['),
            Kind::Raw => {}
        }
        Container { out: self.0, empty: true, kind }
    }
}

impl Container<'_> {
    fn separate(&mut self) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
    }

    fn close(self) {
        match self.kind {
            Kind::Object => self.out.push(b'}'),
            Kind::List => self.out.push(b']'),
            Kind::Raw => {}
        }
    }
}

fn quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

fn escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_len(rest).min(rest.len()));
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else { return };
        escape(out, *byte);
        rest = after;
    }
}

#[cold]
fn escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        _ => {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 0xf)]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn unknown(what: &str) -> Error {
    ser::Error::custom(format_args!("no verdict holds {what}"))
}

macro_rules! integers {
    ($($method:ident $type:ty)*) => { $(
        fn $method(self, value: $type) -> Result<(), Error> {
            self.raw(itoa::Buffer::new().format(value));
            Ok(())
        }
    )* };
}

macro_rules! impossible {
    ($($method:ident($($argument:ty),*) -> $answer:ty, $what:literal;)*) => { $(
        fn $method(self, $(_: $argument),*) -> Result<$answer, Error> {
            Err(unknown($what))
        }
    )* };
}

impl<'o> ser::Serializer for Writer<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Container<'o>;
    type SerializeMap = Container<'o>;
    type SerializeStruct = Container<'o>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    integers! {
        serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64
        serialize_u8 u8 serialize_u16 u16 serialize_u32 u32 serialize_u64 u64
    }

    impossible! {
        serialize_f32(f32) -> (), "a floating-point number";
        serialize_f64(f64) -> (), "a floating-point number";
        serialize_char(char) -> (), "a character";
        serialize_bytes(&[u8]) -> (), "bytes";
        serialize_unit_struct(&'static str) -> (), "a unit";
        serialize_tuple(usize) -> Self::SerializeTuple, "a tuple";
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct, "a tuple";
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant, "a tuple";
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant, "a variant";
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.raw(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        match self.1 {
            Texts::Quoted => quoted(self.0, text),
            Texts::Raw => self.raw(text),
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.raw("null");
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.0.push(b'"');
        self.0.extend_from_slice(variant.as_bytes());
        self.0.push(b'"');
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(unknown("a variant"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Container<'o>, Error> {
        Ok(self.open(Kind::List))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Container<'o>, Error> {
        Ok(self.open(Kind::Object))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Container<'o>, Error> {
        Ok(self.open(if name == RAW { Kind::Raw } else { Kind::Object }))
    }
}

impl ser::SerializeSeq for Container<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.separate();
        value.serialize(Writer(self.out, Texts::Quoted))
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeMap for Container<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.separate();
        key.serialize(Writer(self.out, Texts::Quoted))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        value.serialize(Writer(self.out, Texts::Quoted))
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeStruct for Container<'_> {
    type Ok = ();
    type Error = Error;

    /// Inlined, so that each name is copied by as many bytes as it has, known beforehand.
    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if self.kind == Kind::Raw {
            return value.serialize(Writer(self.out, Texts::Raw));
        }
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        value.serialize(Writer(self.out, Texts::Quoted))
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventTime, Member, Object, Reason, Value, verdict::Detail};

    fn written(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_what_serde_json_writes() {
        let every_control: String = (0..0x80).map(char::from).collect();
        let numbers = ["1", "-0.50e+3", "9007199254740993", "1e999"].map(Value::Number);
        let texts = [&every_control, "é😀\u{0}", "\"\\", ""].map(Value::Text);
        let words = [Value::Null, Value::Bool(true), Value::Bool(false)];
        let lists = [&numbers[..], &texts, &words, &[]].map(Value::List);
        let members = lists.map(|value| Member { name: &every_control, value });
        for value in [Value::Object(Object(&members)), Value::Object(Object(&[])), Value::List(&lists)] {
            assert_eq!(written(&value), serde_json::to_string(&value).unwrap());
        }
        let time = EventTime::from_millis(1_795_341_600_000);
        assert_eq!(written(&time), serde_json::to_string(&time).unwrap());
        for detail in
            [Detail::Limit { limit: 1, size: usize::MAX }, Detail::Seconds { field: "exp", seconds: i64::MIN }]
        {
            assert_eq!(written(&detail), serde_json::to_string(&detail).unwrap());
        }
        assert_eq!(written(&Some(Reason::Locked)), r#""locked""#);
    }

    #[test]
    fn what_no_verdict_holds_is_an_error() {
        for refused in [write(&mut Vec::new(), &1.5_f64), write(&mut Vec::new(), &(1, 2))] {
            assert!(refused.unwrap_err().to_string().starts_with("no verdict holds "));
        }
    }
}
