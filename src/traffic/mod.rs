//! Made-up traffic for the sample settings (`settings.example.toml`): what a product's SDK sends, and what people do wrong
//! with it. `attrsync dev`, tests and benches share it.
//!
//! The same seed and the same times give the same events, byte by byte. Each event says which verdict it is made for.

mod events;
mod people;
pub(crate) mod sign;

use crate::domain::{EventTime, Reason, random::Random, verdict::Outcome};
pub use people::Person;
use sign::Secrets;

/// One made-up record.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// What is shown by it.
    pub kind: Kind,
    /// The verdict that it is made for.
    pub outcome: Outcome,
    /// The reason of a rejected one.
    pub reason: Option<Reason>,
    /// The type, for the header `ce_type`; none where the value says it itself.
    pub event_type: Option<&'static str>,
    /// The record's key, as an ingestion gateway sets it.
    pub key: String,
    /// The record's value.
    pub value: Vec<u8>,
}

macro_rules! kinds {
    ($($variant:ident $weight:literal $about:literal)*) => {
        /// A kind of event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = $about] $variant,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// How often it comes, in a hundred events.
            fn weight(self) -> u64 {
                match self { $(Kind::$variant => $weight,)* }
            }

            /// What is shown by it.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Kind::$variant => $about,)* }
            }
        }
    };
}

kinds! {
    Signed 40 "identify with a token and open attributes beside it"
    Companies 6 "identify with companies in the token"
    Hashed 12 "identify with `userHash`"
    Anonymous 6 "boot of a visitor"
    Observed 5 "identify without proof, to an organization that observes"
    Unconfigured 6 "identify with attributes that nobody configured"
    Locked 6 "identify with a locked attribute beside the token"
    Misfit 3 "identify with a value of the wrong type"
    Forged 4 "identify with a token signed by somebody else"
    Expired 4 "identify with a token of yesterday"
    Retired 2 "identify with a token of a retired key"
    ForgedHash 2 "identify with a `userHash` made up"
    Unsigned 2 "identify without proof"
    Stranger 1 "identify to an organization that does not exist"
    Broken 1 "something that is no event"
}

/// A maker of events, without end.
#[derive(Debug)]
pub struct Traffic {
    random: Random,
    secrets: Secrets,
}

impl Traffic {
    /// A maker that begins at `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), secrets: Secrets::of_the_samples() }
    }

    /// The next event of the mixture, sent at `now`.
    pub fn next(&mut self, now: EventTime) -> Event {
        let total = Kind::ALL.iter().map(|kind| kind.weight()).sum();
        let mut left = self.random.below(total);
        let kind = Kind::ALL.iter().copied().find(|kind| {
            let chosen = left < kind.weight();
            left = left.saturating_sub(kind.weight());
            chosen
        });
        self.make(kind.unwrap_or(Kind::Signed), now)
    }

    /// The next event of one kind, sent at `now`. Those of [`Kind::Signed`] are what the benches call the standard event:
    /// about 700 bytes, HS256.
    pub fn make(&mut self, kind: Kind, now: EventTime) -> Event {
        let person = Person::random(&mut self.random);
        events::make(kind, &person, events::Maker { random: &mut self.random, secrets: &self.secrets, now })
    }
}

/// Kind and size: a value holds credentials, be they samples.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event").field("kind", &self.kind).field("bytes", &self.value.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::{
        domain::{Arena, Header, Offset, Partition, Policy, Position, Record},
        store::{EXAMPLE, Settings, Source},
        worker::judge,
    };

    fn now() -> EventTime {
        EventTime::from_millis(1_795_341_600_000)
    }

    #[test]
    fn every_event_gets_the_verdict_that_it_is_made_for() {
        let snapshot = Settings::load(Source::Embedded(EXAMPLE), Policy::default()).unwrap().current();
        let mut traffic = Traffic::new(1);
        for kind in Kind::ALL.iter().copied().cycle().take(Kind::ALL.len() * 40) {
            let event = traffic.make(kind, now());
            let arena = Arena::new();
            let header = event.event_type.map(|name| Header { name: "ce_type", value: Some(name.as_bytes()) });
            let position = Position { topic: "events", partition: Partition(0), offset: Offset(0) };
            let record = Record {
                position,
                timestamp: Some(now()),
                key: None,
                headers: header.as_slice(),
                value: Some(&event.value),
                line: None,
            };
            let verdict = judge(&arena, &record, &snapshot, now());
            assert_eq!((verdict.outcome, verdict.reason), (event.outcome, event.reason), "{kind:?}");
            assert_eq!(kind == Kind::Observed, verdict.verification.would_reject.is_some());
            assert!(!matches!(kind, Kind::Unconfigured) || verdict.dropped.len() >= 3);
            assert!(
                !matches!(kind, Kind::Companies) || verdict.companies.is_some_and(|companies| !companies.is_empty())
            );
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_events() {
        let events = |seed| {
            let mut traffic = Traffic::new(seed);
            (0..200).map(|_| traffic.next(now())).collect::<Vec<_>>()
        };
        assert_eq!(events(7), events(7));
        assert_ne!(events(7), events(8));
    }

    #[test]
    fn every_kind_comes_about_as_often_as_it_should() {
        let mut traffic = Traffic::new(3);
        let mut counts = HashMap::new();
        for _ in 0..20_000 {
            *counts.entry(traffic.next(now()).kind).or_insert(0_u64) += 1;
        }
        for kind in Kind::ALL {
            let expected = kind.weight() * 200;
            let found = counts.get(kind).copied().unwrap_or_default();
            assert!(found.abs_diff(expected) < expected / 2, "{kind:?}: {found} for {expected}");
        }
    }

    #[test]
    fn the_standard_event_has_about_700_bytes() {
        let mut traffic = Traffic::new(5);
        let sizes: Vec<_> = (0..200).map(|_| traffic.make(Kind::Signed, now()).value.len()).collect();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((680..=720).contains(&mean) && sizes.iter().all(|size| size.abs_diff(700) < 60), "{mean}: {sizes:?}");
    }
}
