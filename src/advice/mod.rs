//! What history advises: which attributes to lock, to configure or to unlock, which keys to retire, whether to enforce, how far a
//! migration from hashes to tokens has come. Pure, and bounded whatever events hold.
//!
//! [`Seen`] counts what events of one organization showed; [`advise`] asks one rule after the other what follows from it. `advise` feeds it
//! with judged history and knows the settings, the dashboard with the verdict topics, which don't say them: the rules are the same.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod items;
mod look;
mod rules;
mod seen;
#[cfg(test)]
mod tests;

pub use items::{Advice, Item, Ready};
pub use look::{judged, meets_lock};
pub use rules::{Case, advise};
pub use seen::{Bounds, Event, Kind, Owner, Seen, Sent};
