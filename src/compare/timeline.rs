//! How many events changed when, in a bounded number of spans: where there are too many, each becomes twice as wide. Times are the
//! senders' wherever a topic or an operator lets them be; a wrong one costs detail, and nothing else.

use std::collections::BTreeMap;

use serde::Serialize;

use super::tallies::{Way, Ways};
use crate::count::bounded::Tally as _;

/// The most spans.
const MOST: usize = 120;

/// The narrowest span, in milliseconds.
const NARROWEST: i64 = 60_000;

/// How many events of a span did what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Spell {
    /// Kept their verdict.
    pub same: u64,
    /// Got another.
    #[serde(flatten)]
    pub ways: Ways,
}

impl Spell {
    fn absorb(&mut self, other: Self) {
        self.same += other.same;
        self.ways.absorb(other.ways);
    }
}

/// Events by time.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    width: i64,
    spans: BTreeMap<i64, Spell>,
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self { width: NARROWEST, spans: BTreeMap::new() }
    }

    /// Counts an event of this time, by the way that its verdict goes; `None` where it keeps it.
    pub(super) fn add(&mut self, at: i64, way: Option<Way>) {
        let spell = self.spans.entry(at.div_euclid(self.width)).or_default();
        match way {
            Some(way) => spell.ways.add(way),
            None => spell.same += 1,
        }
        while self.spans.len() > MOST {
            self.widen();
        }
    }

    fn widen(&mut self) {
        self.width = self.width.saturating_mul(2);
        for (at, spell) in std::mem::take(&mut self.spans) {
            self.spans.entry(at.div_euclid(2)).or_default().absorb(spell);
        }
    }

    pub(super) fn absorb(&mut self, mut other: Self) {
        while self.width < other.width {
            self.widen();
        }
        while other.width < self.width {
            other.widen();
        }
        for (at, spell) in other.spans {
            self.spans.entry(at).or_default().absorb(spell);
        }
        while self.spans.len() > MOST {
            self.widen();
        }
    }

    /// The width of a span, and each span in which events came, by when it begins; in milliseconds.
    pub(super) fn told(&self) -> (i64, Vec<(i64, Spell)>) {
        (self.width, self.spans.iter().map(|(at, spell)| (at.saturating_mul(self.width), *spell)).collect())
    }
}
