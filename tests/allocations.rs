//! What a judgement allocates: nothing, once its arena has grown, but for what a hint is looked for with. Whoever puts a `String`
//! where a borrowed text was learns it here, and not from a slower worker.

#[path = "instructions/events.rs"]
mod events;

use std::hint::black_box;

use attrsync::{domain::Arena, traffic::Kind};

use events::{KINDS, event, judged, snapshot};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

#[test]
fn a_judgement_allocates_nothing_but_for_a_hint() {
    let (mut arena, events, snapshot) = (Arena::new(), KINDS.map(event), snapshot());
    // An arena doubles what it takes, and keeps it.
    (0..3).for_each(|_| events.iter().for_each(|event| judged(&mut arena, event, &snapshot)));
    let _profiler = dhat::Profiler::builder().testing().build();
    let allocations = |judged: &mut dyn FnMut()| {
        let before = dhat::HeapStats::get().total_blocks;
        judged();
        dhat::HeapStats::get().total_blocks - before
    };
    for (kind, event) in KINDS.iter().zip(&events) {
        // What the key's secret would be, had its owner decoded it, is one.
        let expected = u64::from(*kind == Kind::Forged);
        assert_eq!(allocations(&mut || judged(&mut arena, event, &snapshot)), expected, "{kind:?}");
    }
    assert_eq!(allocations(&mut || drop(black_box(vec![1_u8]))), 1, "what is allocated is counted");
}
