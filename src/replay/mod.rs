//! History read again: any source of records drives one [`Work`] per thread, and what the threads found is merged at the end.
//! `replay`, `compare` and `advise` are three works over the same history.
//!
//! - A [`Source`] is where records are: a [`File`], or [`Topics`]. Each thread has a [`Reader`] of its own, which hands
//!   out records a [`Chunk`] at a time, so that memory is bounded whatever the history holds.
//! - A [`Work`] is what is done with each: it judges by [`worker::judge()`](crate::worker::judge()), counts, and writes what is to be
//!   written.
//! - [`run()`] is the loop around both. How far it is stands in a [`Counter`], by which it can also be stopped.
//! - [`Filter`] says which events a person asked for; it looks at the verdict, since only that says whose event it is.

mod counter;
mod defaults;
mod deliver;
mod failure;
mod file;
mod filter;
mod job;
mod judged;
mod judgement;
mod pace;
mod plan;
mod rejections;
mod tally;
mod topic;

pub use self::{
    counter::Counter,
    defaults::Defaults,
    deliver::{Delivered, Delivery, Means},
    failure::Failure,
    file::File,
    filter::Filter,
    job::{Output, run},
    judged::{Judged, Learning},
    judgement::{AsJudged, By, Judgement},
    pace::Limits,
    plan::{Plan, PlannedSpan},
    rejections::{Positions, Rejections, WhichRejections},
    tally::{Reasons, Tally},
    topic::{Fetching, Offsets, Topics, Wanted},
};
use crate::domain::{Arena, Record};

/// What is done with history, by one thread.
pub trait Work: Send {
    /// Takes in one record. What it appends to `out` is written in the order of the records.
    ///
    /// # Errors
    /// What ends the whole job.
    fn record<'a>(&mut self, record: &Record<'a>, arena: &'a Arena, out: &mut Vec<u8>) -> Result<(), Failure>;

    /// Adds what another thread found.
    fn add(&mut self, other: Self);
}

/// Takes in one record that a reader hands out.
pub type Each<'e> = dyn for<'a> FnMut(&Record<'a>, &'a Arena) -> Result<(), Failure> + 'e;

/// In what the size of history is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Bytes of a file.
    Bytes,
    /// Offsets of topics.
    Offsets,
}

/// Where history is.
pub trait Source: Send + Sync {
    /// How many threads have something to do.
    fn threads(&self) -> usize;

    /// How much there is, in the measure of [`Chunk::size`]; `None` where nobody knows.
    fn size(&self) -> Option<u64>;

    /// In what that is measured.
    fn measure(&self) -> Measure;

    /// A reader for one thread. Together, the readers of all threads hand out each record once.
    ///
    /// # Errors
    /// When it can't be read at all.
    fn reader(&self) -> Result<Box<dyn Reader + '_>, Failure>;
}

/// Reads for one thread.
pub trait Reader {
    /// Hands out the next records; `None` once nothing is left for this thread.
    ///
    /// # Errors
    /// When they can't be read, and what `each` answered.
    fn read(&mut self, each: &mut Each<'_>) -> Result<Option<Chunk>, Failure>;
}

/// Some records that were handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chunk {
    /// Its place among the chunks of all readers; `None` where only one reader's own chunks have an order.
    pub turn: Option<u64>,
    /// How many records.
    pub records: u64,
    /// How much of the history they are: bytes of a file, offsets of a topic.
    pub size: u64,
}
