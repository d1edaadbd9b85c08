//! What a judgement allocates: nothing, once its arena has grown, but for what a hint is looked for with. Whoever puts a `String` where a borrowed text was learns it here, and not
//! from a slower worker.

use std::hint::black_box;

use attrsync::{
    domain::{Arena, EventTime, Header, Offset, Partition, Policy, Position, Record},
    store::{EXAMPLE, Settings, Source},
    traffic::{Event, Kind, Traffic},
    worker::judge,
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const KINDS: [Kind; 7] =
    [Kind::Signed, Kind::Companies, Kind::Hashed, Kind::Anonymous, Kind::Unconfigured, Kind::Locked, Kind::Forged];

#[test]
fn a_judgement_allocates_nothing_but_for_a_hint() {
    let now = EventTime::from_millis(1_795_341_600_000);
    let snapshot = Settings::load(Source::Embedded(EXAMPLE), Policy::default()).unwrap().current();
    let events = KINDS.map(|kind| Traffic::new(1).make(kind, now));
    let mut arena = Arena::new();
    let mut judged = |event: &Event| {
        arena.reset();
        let header = event.event_type.map(|name| Header { name: "ce_type", value: Some(name.as_bytes()) });
        let record = Record {
            position: Position { topic: "events", partition: Partition(0), offset: Offset(12) },
            timestamp: Some(now),
            key: None,
            headers: header.as_slice(),
            value: Some(&event.value),
        };
        assert_eq!(judge(&arena, &record, &snapshot, now).outcome, event.outcome);
    };
    // An arena doubles what it takes, and keeps it.
    (0..3).for_each(|_| events.iter().for_each(&mut judged));
    let _profiler = dhat::Profiler::builder().testing().build();
    let allocations = |judged: &mut dyn FnMut()| {
        let before = dhat::HeapStats::get().total_blocks;
        judged();
        dhat::HeapStats::get().total_blocks - before
    };
    for (kind, event) in KINDS.iter().zip(&events) {
        // What the key's secret would be, had its owner decoded it, is one.
        let expected = u64::from(*kind == Kind::Forged);
        assert_eq!(allocations(&mut || judged(event)), expected, "{kind:?}");
    }
    assert_eq!(allocations(&mut || drop(black_box(vec![now]))), 1, "what is allocated is counted");
}
