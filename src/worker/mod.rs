//! The worker: `judge` and the loop around it.

pub mod judge;

pub use judge::judge;
