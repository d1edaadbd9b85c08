//! What is varied: one thing at a time, everything else as it is by default.

use crate::{
    events::Events,
    peers::mixes::{Maker, Mix},
    scaling::made::Made,
};

/// Events of 700 bytes that a window has.
const WINDOW: i64 = 500_000;
/// What the events of a window may have in all, where they are large.
const WINDOW_BYTES: i64 = 500_000_000;
const ORGANIZATIONS: usize = 100_000;

/// One thing that is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Dimension {
    Shards,
    Organizations,
    Attributes,
    Sizes,
    Commits,
    Delivery,
}

/// Which events.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Source {
    /// The standard mix of 700 bytes.
    Standard,
    Made(Made),
}

/// A value that it has.
pub(crate) struct Point {
    pub(crate) label: String,
    pub(crate) source: Source,
    pub(crate) set: Vec<String>,
    /// Events that are measured.
    pub(crate) window: i64,
}

impl Dimension {
    pub(crate) const ALL: [Self; 6] =
        [Self::Shards, Self::Organizations, Self::Attributes, Self::Sizes, Self::Commits, Self::Delivery];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shards => "shards",
            Self::Organizations => "organizations",
            Self::Attributes => "attributes",
            Self::Sizes => "sizes",
            Self::Commits => "commits",
            Self::Delivery => "delivery",
        }
    }

    /// The axis of its plot, and the head of its table.
    pub(crate) fn axis(self) -> &'static str {
        match self {
            Self::Shards => "shards",
            Self::Organizations => "organizations",
            Self::Attributes => "attributes of an event, of those configured",
            Self::Sizes => "size of an event, kB",
            Self::Commits => "interval of commits, ms",
            Self::Delivery => "delivery",
        }
    }

    pub(crate) fn points(self) -> Vec<Point> {
        match self {
            Self::Shards => {
                [1, 2, 4].map(|shards| Point::set(shards.to_string(), &[format!("worker.shards={shards}")])).into()
            }
            Self::Organizations => organizations(),
            Self::Attributes => [(5, 5), (5, 200), (200, 200)]
                .map(|(sent, configured)| {
                    let bytes = 400 + 40 * i64::try_from(sent).unwrap_or(0);
                    Point::made(format!("{sent} of {configured}"), Made::Attributes { configured, sent }, bytes)
                })
                .into(),
            Self::Sizes => ["0.5", "1", "2", "5", "10", "30", "100"]
                .map(|kilobytes| {
                    let bytes = (kilobytes.parse::<f64>().unwrap_or(1.0) * 1000.0) as usize;
                    Point::made(kilobytes.to_owned(), Made::Sized(bytes), i64::try_from(bytes).unwrap_or(1))
                })
                .into(),
            Self::Commits => [10, 25, 50, 100, 250, 1000].map(commit).into(),
            Self::Delivery => ["exactly_once", "at_least_once"]
                .map(|delivery| Point::set(delivery.replace('_', " "), &[format!("worker.delivery={delivery}")]))
                .into(),
        }
    }
}

/// One that is there and sends, one among many, and many that send in turn.
fn organizations() -> Vec<Point> {
    [("1", 1, 1), ("100,000, one sends", ORGANIZATIONS, 1), ("100,000, all send", ORGANIZATIONS, ORGANIZATIONS)]
        .map(|(label, configured, senders)| {
            let point = Point::made(label.to_owned(), Made::Organizations { configured, senders }, 1000);
            // So that a file of all of them isn't read again and again meanwhile.
            Point { set: vec!["settings.reload_interval_ms=60000".to_owned()], ..point }
        })
        .into()
}

/// With as many records in a commit as come: by default a full batch is committed before its time.
fn commit(interval: i64) -> Point {
    let set = [format!("worker.commit_interval_ms={interval}"), "worker.batch_records=1000000".to_owned()];
    let point = Point::set(interval.to_string(), &set);
    // A window begins and ends with the commit of one shard, while another has part of a batch in hand.
    Point { window: if interval >= 1000 { 2 * WINDOW } else { WINDOW }, ..point }
}

impl Point {
    fn set(label: String, set: &[String]) -> Self {
        Self { label, source: Source::Standard, set: set.to_vec(), window: WINDOW }
    }

    fn made(label: String, made: Made, bytes: i64) -> Self {
        Self { label, source: Source::Made(made), set: Vec::new(), window: WINDOW.min(WINDOW_BYTES / bytes) }
    }
}

impl Source {
    /// One topic serves all windows over it.
    pub(crate) fn largest_window(self, window: i64) -> i64 {
        if self == Self::Standard { 2 * WINDOW } else { window }
    }

    pub(crate) fn events(self) -> Box<dyn Events> {
        match self {
            Self::Standard => Box::new(Maker::new(Mix::Hs256)),
            Self::Made(made) => Box::new(made),
        }
    }
}
