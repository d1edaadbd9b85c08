//! One line to a record.
//!
//! kcat (`json.c`) writes `topic, partition, offset, tstype, ts, broker, headers, key, payload`; headers as one flat list of
//! names and values, or with a newer option as a map from names to lists. Its JSON writer (yajl) escapes quotes, backslashes
//! and control characters and passes every other byte on as it is, so that a value that isn't UTF-8 makes a line that isn't.
//! Such bytes are taken as they are: the value is then judged as it would have been in Kafka.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};

use crate::domain::{Arena, EventTime, Header, Offset, Partition, Position, Record};

/// What a line's place says of a record that doesn't say it itself.
#[derive(Clone, Copy)]
pub(super) struct Stated<'a> {
    /// In place of the topic.
    pub(super) name: &'a str,
    /// In place of the offset.
    pub(super) line: i64,
}

/// The record that a line is: one that kcat wrote where it has `topic` and its `payload` is a text or null, else the line
/// itself as the value.
pub(super) fn record<'a>(line: &'a [u8], stated: Stated<'a>, arena: &'a Arena) -> Record<'a> {
    if let Ok(written) = serde_json::from_slice::<Written<'a>>(line) {
        return written.record(stated, arena);
    }
    match serde_json::from_slice::<Core<'a>>(line) {
        Ok(Core { topic, payload }) => Written { topic, payload, ..Written::default() }.record(stated, arena),
        Err(_) => Record {
            position: position(stated.name, None, None, stated),
            timestamp: None,
            key: None,
            headers: &[],
            value: Some(line),
            line: Some(stated.line),
        },
    }
}

/// A line of kcat's.
#[derive(Deserialize, Default)]
struct Written<'a> {
    #[serde(borrow, deserialize_with = "text")]
    topic: Cow<'a, str>,
    partition: Option<i32>,
    offset: Option<i64>,
    tstype: Option<&'a str>,
    ts: Option<i64>,
    #[serde(borrow, default)]
    headers: Headers<'a>,
    #[serde(borrow)]
    key: Option<Bytes<'a>>,
    // Named so that it must be there; an `Option` alone may be missing.
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    payload: Option<Bytes<'a>>,
}

/// The part that makes a line a record, whatever the rest looks like.
#[derive(Deserialize)]
struct Core<'a> {
    #[serde(borrow, deserialize_with = "text")]
    topic: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    payload: Option<Bytes<'a>>,
}

impl<'a> Written<'a> {
    fn record(self, stated: Stated<'a>, arena: &'a Arena) -> Record<'a> {
        let topic = in_arena(self.topic, arena);
        let known = self.tstype != Some("unknown");
        let timestamp = self.ts.filter(|ts| known && *ts >= 0).map(EventTime::from_millis);
        let mut headers = arena.list_with(self.headers.0.len());
        headers.extend(self.headers.0.into_iter().map(|(name, value)| Header {
            name: in_arena(name, arena),
            value: value.map(|value| value.in_arena(arena)),
        }));
        Record {
            position: position(topic, self.partition, self.offset, stated),
            timestamp,
            key: self.key.map(|key| key.in_arena(arena)),
            headers: headers.into_bump_slice(),
            value: self.payload.map(|payload| payload.in_arena(arena)),
            line: (self.partition.is_none() || self.offset.is_none()).then_some(stated.line),
        }
    }
}

fn position<'a>(topic: &'a str, partition: Option<i32>, offset: Option<i64>, stated: Stated<'_>) -> Position<'a> {
    Position { topic, partition: Partition(partition.unwrap_or(0)), offset: Offset(offset.unwrap_or(stated.line)) }
}

fn in_arena<'a>(text: Cow<'a, str>, arena: &'a Arena) -> &'a str {
    match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => arena.text(&text),
    }
}

/// A text, borrowed where it has no escapes.
fn text<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'a, str>, D::Error> {
    match Bytes::deserialize(deserializer)?.0 {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(de::Error::custom),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(de::Error::custom),
    }
}

/// A JSON text as the bytes it stands for, UTF-8 or not.
struct Bytes<'a>(Cow<'a, [u8]>);

impl<'a> Bytes<'a> {
    /// The name of a header: kcat passes on any bytes, a header's name is a text.
    fn lossy(self) -> Cow<'a, str> {
        match self.0 {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    fn in_arena(self, arena: &'a Arena) -> &'a [u8] {
        match self.0 {
            Cow::Borrowed(bytes) => bytes,
            Cow::Owned(bytes) => arena.slice(&bytes),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;
        impl<'de> Visitor<'de> for BytesVisitor {
            type Value = Bytes<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Bytes(Cow::Borrowed(bytes)))
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Bytes(Cow::Owned(bytes.to_vec())))
            }
        }
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

/// Headers in either of kcat's forms.
#[derive(Default)]
struct Headers<'a>(Vec<(Cow<'a, str>, Option<Bytes<'a>>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Headers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeadersVisitor;
        impl<'de> Visitor<'de> for HeadersVisitor {
            type Value = Headers<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("headers as kcat writes them")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Headers::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut headers = Vec::new();
                while let Some(name) = seq.next_element::<Bytes<'de>>()? {
                    let value = seq.next_element()?.ok_or_else(|| de::Error::custom("a name without a value"))?;
                    headers.push((name.lossy(), value));
                }
                Ok(Headers(headers))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut headers = Vec::new();
                while let Some((name, values)) = map.next_entry::<Bytes<'de>, Vec<Option<Bytes<'de>>>>()? {
                    let name = name.lossy();
                    headers.extend(values.into_iter().map(|value| (name.clone(), value)));
                }
                Ok(Headers(headers))
            }
        }
        deserializer.deserialize_any(HeadersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(line: &[u8], look: impl FnOnce(Record<'_>) -> T) -> T {
        let arena = Arena::new();
        look(record(line, Stated { name: "in.ndjson", line: 7 }, &arena))
    }

    #[test]
    fn a_line_of_kcat_is_the_record_it_was() {
        let line = br#"{"topic":"events","partition":2,"offset":12,"tstype":"create","ts":1795341600000,"broker":1,
            "headers":["ce_type","identify","none",null],"key":"a\"b","payload":"{\"type\":\"boot\"}"}"#;
        with(line, |record| {
            assert_eq!((record.position.to_string().as_str(), record.line), ("events/2/12", None));
            assert_eq!(record.timestamp, Some(EventTime::from_millis(1_795_341_600_000)));
            assert_eq!(record.key, Some(&b"a\"b"[..]));
            assert_eq!(record.value, Some(&br#"{"type":"boot"}"#[..]));
            assert_eq!(record.header("ce_type"), Some("identify"));
            assert!(record.headers[1] == Header { name: "none", value: None });
        });
    }

    #[test]
    fn headers_as_a_map_keep_every_value() {
        let line = br#"{"topic":"t","headers":{"a":["1","2"],"b":[null]},"payload":null}"#;
        with(line, |record| {
            let headers: Vec<_> = record.headers.iter().map(|header| (header.name, header.value)).collect();
            assert_eq!(headers, [("a", Some(&b"1"[..])), ("a", Some(b"2")), ("b", None)]);
        });
    }

    #[test]
    fn a_tombstone_and_an_empty_payload_are_told_apart() {
        with(br#"{"topic":"t","payload":null}"#, |record| assert_eq!(record.value, None));
        with(br#"{"topic":"t","payload":""}"#, |record| assert_eq!(record.value, Some(&b""[..])));
    }

    #[test]
    fn what_a_record_does_not_say_is_taken_from_its_place() {
        for line in
            [&br#"{"topic":"t","payload":"x"}"#[..], br#"{"payload":"x","topic":"t","key":null,"headers":null}"#]
        {
            with(line, |record| {
                assert_eq!((record.position.to_string().as_str(), record.line), ("t/0/7", Some(7)));
                assert_eq!((record.timestamp, record.key), (None, None));
            });
        }
        for (line, position) in [
            (&br#"{"topic":"t","partition":2,"payload":"x"}"#[..], "t/2/7"),
            (br#"{"topic":"t","offset":12,"payload":"x"}"#, "t/0/12"),
        ] {
            with(line, |record| {
                assert_eq!((record.position.to_string().as_str(), record.line), (position, Some(7)));
            });
        }
        with(br#"{"topic":"t","tstype":"unknown","ts":0,"payload":"x"}"#, |record| assert_eq!(record.timestamp, None));
        with(br#"{"topic":"t","tstype":"create","ts":-1,"payload":"x"}"#, |record| assert_eq!(record.timestamp, None));
    }

    #[test]
    fn odd_members_do_not_keep_a_line_from_being_a_record() {
        for odd in [
            r#""partition":"three""#,
            r#""headers":["a"]"#,
            r#""key":{}"#,
            r#""ts":1.5"#,
            r#""offset":99999999999999999999"#,
        ] {
            let line = format!(r#"{{"topic":"t",{odd},"payload":"x"}}"#);
            with(line.as_bytes(), |record| {
                assert_eq!((record.position.to_string().as_str(), record.value), ("t/0/7", Some(&b"x"[..])), "{odd}");
            });
        }
    }

    #[test]
    fn any_other_line_is_the_value_itself() {
        for line in [
            &br#"{"topic":"t"}"#[..],
            br#"{"topic":"t","payload":{}}"#,
            br#"{"topic":1,"payload":"x"}"#,
            br#"{"type":"identify","payload":{"topic":"t"}}"#,
            br#"{"topic":"t","topic":"t","payload":"x"}"#,
            br#"{"topic":"t","payload":"x"} more"#,
            b"[]",
            b"not JSON",
            b"\xff\x00",
        ] {
            with(line, |record| {
                assert_eq!((record.position.to_string().as_str(), record.value), ("in.ndjson/0/7", Some(line)));
                assert!(record.headers.is_empty() && record.key.is_none() && record.timestamp.is_none());
                assert_eq!(record.line, Some(7));
            });
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_stay_as_they_are() {
        let line = b"{\"topic\":\"t\",\"headers\":[\"h\",\"\xfe\"],\"key\":\"\xfd\",\"payload\":\"\xff\\\"\xc3\"}";
        with(line, |record| {
            assert_eq!(record.value, Some(&b"\xff\"\xc3"[..]));
            assert_eq!(record.key, Some(&b"\xfd"[..]));
            assert_eq!(record.headers[0].value, Some(&b"\xfe"[..]));
        });
    }

    #[test]
    fn a_lone_surrogate_in_a_payload_is_not_utf_8() {
        with(br#"{"topic":"t","payload":"\ud800"}"#, |record| {
            assert!(record.value.is_some_and(|value| std::str::from_utf8(value).is_err()));
        });
    }
}
