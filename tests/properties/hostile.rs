//! Whatever the bytes are: no panic, exactly one verdict, and one that makes sense.

use attrsync::{domain::Arena, emit::Encoder};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::Value;

use crate::common::{self, Event, SETTINGS};

/// What a mutation puts in: what parsers stumble over.
const MORSELS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"true",
    b"-",
    b"1e999",
    b"\\u0000",
    b"\\ud800",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\"userId\":\"1\",",
    b"\"companies\":[{}],",
    b".",
    b"..",
    b"=",
    b"eyJhbGciOiJub25lIn0",
    b"{\"a\":{\"a\":{\"a\":",
    b"[[[[[[[[[[[[[[[[[[",
    b"\"id\":[],",
    b"\"featurebaseJwt\":7,",
    b"\r\n",
    b"9007199254740993",
    b"\"appId\":\"x\",",
];

fn valid_events() -> Vec<String> {
    let token = common::token(
        r#"{"userId":"12345","email":"user@example.com","plan":"Premium","companies":[{"id":"c1","tier":"a"}]}"#,
    );
    let hash = common::hash("12345");
    vec![
        format!(r#"{{"organization":"acme","featurebaseJwt":"{token}","plan":"Free","utm_x":1}}"#),
        format!(r#"{{"id":"e1","type":"boot","receivedAt":"2026-11-22T10:00:00Z","context":{{"anonymousId":"a1"}},"payload":{{"appId":"65f1c0ffee65f1c0ffee65f1","userId":12345,"userHash":"{hash}","seats":2,"company":{{"companyId":"c1","size":3}},"customFields":{{"seats":1,"x":[]}}}}}}"#),
        r#"{"organization":"acme","anonymousId":"a","companies":null,"createdAt":1795341600,"role":"admin","tags":["a"]}"#.to_owned(),
        r#"{"organization":"acme"}"#.to_owned(),
        "{}".to_owned(),
    ]
}

#[derive(Debug, Clone)]
enum Mutation {
    Insert(Index, usize),
    Remove(Index, usize),
    Flip(Index, u8),
    Repeat(Index, usize),
    Cut(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), 0..MORSELS.len()).prop_map(|(at, morsel)| Mutation::Insert(at, morsel)),
        (any::<Index>(), 1..20_usize).prop_map(|(at, len)| Mutation::Remove(at, len)),
        (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        (any::<Index>(), 1..40_usize).prop_map(|(at, len)| Mutation::Repeat(at, len)),
        any::<Index>().prop_map(Mutation::Cut),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let at = |index: &Index| if bytes.is_empty() { 0 } else { index.index(bytes.len()) };
    match mutation {
        Mutation::Insert(index, morsel) => {
            let at = at(index);
            bytes.splice(at..at, MORSELS[*morsel].iter().copied());
        }
        Mutation::Remove(index, len) => {
            let at = at(index);
            bytes.drain(at..(at + len).min(bytes.len()));
        }
        Mutation::Flip(index, bits) => {
            let at = at(index);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= bits;
            }
        }
        Mutation::Repeat(index, len) => {
            let at = at(index);
            let part = bytes[at..(at + len).min(bytes.len())].to_vec();
            bytes.splice(at..at, part);
        }
        Mutation::Cut(index) => bytes.truncate(at(index)),
    }
}

/// One verdict, whose parts agree with each other.
fn makes_sense(verdict: &Value) {
    let outcome = verdict["verdict"].as_str().unwrap();
    let rejected = verdict["rejected"].as_array().unwrap();
    match outcome {
        "accepted" => assert!(verdict["reason"].is_null() && rejected.is_empty(), "{verdict}"),
        "partial" => assert!(verdict["reason"].is_null() && !rejected.is_empty(), "{verdict}"),
        "rejected" => assert!(verdict["reason"].is_string(), "{verdict}"),
        other => panic!("{other}"),
    }
    if outcome == "rejected" {
        assert!(verdict["attributes"].as_object().unwrap().is_empty() && verdict["companies"].is_null(), "{verdict}");
    }
    assert_eq!(verdict["source"]["offset"], 12);
}

proptest! {
    #[test]
    fn random_bytes_get_one_verdict(bytes in vec(any::<u8>(), 0..300)) {
        makes_sense(&Event::new(bytes).verdict(snapshot()));
    }

    #[test]
    fn mutated_events_get_one_verdict(
        event in proptest::sample::select(valid_events()),
        mutations in vec(mutation(), 1..6),
        timestamp in any::<Option<i64>>(),
    ) {
        let mut bytes = event.into_bytes();
        mutations.iter().for_each(|mutation| mutate(&mut bytes, mutation));
        makes_sense(&Event { timestamp, ..Event::new(bytes) }.verdict(snapshot()));
    }

    #[test]
    fn judging_twice_gives_the_same_bytes(event in event(), now in any::<i64>()) {
        let first = event.judge(snapshot());
        // The wall clock takes no part: the event has a timestamp of its own.
        let later = Event { now, ..event };
        prop_assert_eq!(first, later.judge(snapshot()));
    }

    #[test]
    fn the_records_judged_before_change_nothing(events in vec(event(), 1..6)) {
        let (mut arena, mut encoder) = (Arena::new(), common::encoder());
        let together: Vec<_> = events.iter().map(|event| { arena.reset(); bytes(event, &arena, &mut encoder) }).collect();
        let alone: Vec<_> = events.iter().map(|event| bytes(event, &Arena::new(), &mut common::encoder())).collect();
        prop_assert_eq!(together, alone);
    }

    #[test]
    fn an_event_that_is_decoded_and_encoded_again_gets_the_same_verdict(event in event()) {
        let arena = Arena::new();
        let text = event.value.as_deref().and_then(|value| std::str::from_utf8(value).ok());
        let Some(Ok(value)) = text.map(|text| attrsync::decode::json::parse(&arena, text, 16)) else { return Ok(()) };
        let again = Event { value: Some(serde_json::to_vec(&value).unwrap()), ..event.clone() };
        prop_assert_eq!(event.judge(snapshot()), again.judge(snapshot()));
    }
}

/// The bytes of all records that tell the event's verdict, made with memory that others have used before.
fn bytes(event: &Event, arena: &Arena, encoder: &mut Encoder) -> Vec<u8> {
    event.told_in(arena, snapshot(), |verdict, record| {
        let mut bytes = Vec::new();
        for output in encoder.encode(verdict, record).unwrap().outputs() {
            bytes.extend_from_slice(output.key);
            output.headers.iter().for_each(|(name, value)| bytes.extend([name.as_bytes(), value].concat()));
            bytes.extend_from_slice(output.value);
        }
        bytes
    })
}

/// A valid event, or one with some mutations; its tokens say when they are valid.
fn event() -> impl Strategy<Value = Event> {
    let mutations = prop_oneof![Just(Vec::new()), vec(mutation(), 1..4)];
    (proptest::sample::select([valid_events(), timed_events()].concat()), mutations).prop_map(|(event, mutations)| {
        let mut bytes = event.into_bytes();
        mutations.iter().for_each(|mutation| mutate(&mut bytes, mutation));
        Event::new(bytes)
    })
}

/// Tokens that were valid, that are, and that will be.
fn timed_events() -> Vec<String> {
    let now = common::NOW / 1000;
    let event = |times: String| {
        let token = common::token(&format!(r#"{{"userId":"12345",{times}}}"#));
        format!(r#"{{"organization":"acme","featurebaseJwt":"{token}"}}"#)
    };
    vec![
        event(format!(r#""exp":{},"iat":{now}"#, now + 3600)),
        event(format!(r#""exp":{}"#, now - 3600)),
        event(format!(r#""nbf":{}"#, now + 3600)),
    ]
}

fn snapshot() -> &'static attrsync::domain::Snapshot {
    static SNAPSHOT: std::sync::OnceLock<std::sync::Arc<attrsync::domain::Snapshot>> = std::sync::OnceLock::new();
    SNAPSHOT.get_or_init(|| common::snapshot(SETTINGS, attrsync::domain::Policy::default()))
}
