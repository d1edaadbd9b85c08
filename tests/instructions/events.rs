//! The events whose judgement is counted, in instructions and in allocations: one of each kind, the same ones every time.

use std::sync::Arc;

use attrsync::{
    domain::{Arena, EventTime, Header, Offset, Partition, Policy, Position, Record, Snapshot},
    store::{EXAMPLE, Settings, Source},
    traffic::{Event, Kind, Traffic},
    worker::judge,
};

pub(crate) const KINDS: [Kind; 7] =
    [Kind::Signed, Kind::Companies, Kind::Hashed, Kind::Anonymous, Kind::Unconfigured, Kind::Locked, Kind::Forged];

fn now() -> EventTime {
    EventTime::from_millis(1_795_341_600_000)
}

/// What they are judged by.
pub(crate) fn snapshot() -> Arc<Snapshot> {
    Settings::load(Source::Embedded(EXAMPLE), Policy::default()).unwrap().current()
}

/// The event of a kind.
pub(crate) fn event(kind: Kind) -> Event {
    Traffic::new(1).make(kind, now())
}

/// Judges one, in an arena that is reset before: as it was made for.
pub(crate) fn judged(arena: &mut Arena, event: &Event, snapshot: &Snapshot) {
    arena.reset();
    let header = event.event_type.map(|name| Header { name: "ce_type", value: Some(name.as_bytes()) });
    let record = Record {
        position: Position { topic: "events", partition: Partition(0), offset: Offset(12) },
        timestamp: Some(now()),
        key: None,
        headers: header.as_slice(),
        value: Some(std::hint::black_box(&event.value)),
        line: None,
    };
    assert_eq!(std::hint::black_box(judge(arena, &record, snapshot, now())).outcome, event.outcome);
}
