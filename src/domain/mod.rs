//! The words every other module speaks: positions, time, JSON values, settings, reasons, verdicts. Plain data and no I/O;
//! nothing here depends on another module of the crate.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod arena;
pub mod event_type;
pub mod hex;
pub mod hint;
pub mod ids;
pub mod key;
pub mod line_end;
pub mod policy;
pub mod random;
pub mod reason;
pub mod record;
pub mod rejection;
pub mod shell;
pub mod snapshot;
pub mod text;
pub mod time;
pub mod value;
pub mod verdict;
pub mod visible;

pub use arena::Arena;
pub use hint::Hint;
pub use ids::{Offset, Partition, Position};
pub use policy::{EventTimeSource, Limits, Policy};
pub use reason::{Reason, Stage};
pub use record::{Header, Record};
pub use rejection::Rejection;
pub use snapshot::{Organization, Snapshot};
pub use time::EventTime;
pub use value::{Member, Object, Value};
pub use verdict::{Detail, Verdict};
