//! Counting what senders chose the names of, in memory that no input makes grow: tables by name ([`bounded`]) and distinct
//! things ([`distinct`]), and telling the numbers ([`words`]). Pure; the dashboard, `replay --compare` and `advise` count with the same
//! means.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub(crate) mod bounded;
pub mod distinct;
pub(crate) mod words;
