//! The threads that read: one for each verdict topic, and one that looks up the lag. They feed the board and the stream, and
//! wait for nobody: the board's lock is held for as long as counting takes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{ClientConfig, Message, message::BorrowedMessage};

use super::{
    Shared,
    board::told::{Kept, Place, Told},
    options::History,
    topic::{Topic, TopicError},
};
use crate::domain::verdict::Outcome;

/// How long to wait before a topic that can't be read is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked for new partitions, and whether what was wrong has passed.
const REFRESH: Duration = Duration::from_secs(10);

/// Which of the two topics; each reader tells of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Accepted,
    Rejected,
}

/// How the reading of one topic goes.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    pub(super) caught_up: bool,
    pub(super) cut: bool,
    pub(super) records: u64,
    pub(super) problem: Option<String>,
}

/// What one reader needs.
pub(super) struct Reader {
    pub(super) channel: Channel,
    pub(super) topic: String,
    pub(super) history: History,
    pub(super) consumer: ClientConfig,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: Arc<AtomicBool>,
}

impl Reader {
    /// Reads until it is stopped.
    pub(super) fn run(&self) {
        let Some(mut topic) = self.open() else { return };
        let mut refreshed = Instant::now();
        while !self.stop.load(Relaxed) {
            self.step(&mut topic);
            if refreshed.elapsed() >= REFRESH {
                refreshed = Instant::now();
                let problem = topic.refresh().err();
                self.progress(|progress| progress.problem = problem.map(|error| error.to_string()));
            }
        }
    }

    /// Tries until the topic can be read; `None` when stopped first.
    fn open(&self) -> Option<Topic> {
        while !self.stop.load(Relaxed) {
            match Topic::open(&self.consumer, &self.topic, self.history) {
                Ok(topic) => return Some(topic),
                Err(error) => self.progress(|progress| progress.problem = Some(error.to_string())),
            }
            thread::park_timeout(PAUSE);
        }
        None
    }

    fn step(&self, topic: &mut Topic) {
        match topic.read() {
            Ok(records) => {
                let number = records.len() as u64;
                self.feed(&records);
                drop(records);
                let (caught_up, cut) = (topic.caught_up(), topic.cut());
                self.progress(|progress| {
                    progress.records += number;
                    (progress.caught_up, progress.cut) = (progress.caught_up || caught_up, cut);
                    if number > 0 {
                        progress.problem = None;
                    }
                });
            }
            Err(error) => {
                self.progress(|progress| progress.problem = Some(TopicError::of(&self.topic, error).to_string()));
                thread::park_timeout(PAUSE);
            }
        }
        if topic.is_lost() {
            self.replace(topic);
        }
    }

    fn replace(&self, topic: &mut Topic) {
        self.shared.counts.rebuilt();
        if let Err(error) = topic.reopen(&self.consumer) {
            tracing::warn!(topic = self.topic, %error, "the dashboard's consumer can't be replaced");
            thread::park_timeout(PAUSE);
        }
    }

    fn progress(&self, change: impl FnOnce(&mut Progress)) {
        let mut progress = self.shared.progress(self.channel);
        let before = progress.problem.clone();
        change(&mut progress);
        if let Some(problem) = progress.problem.as_ref().filter(|problem| before.as_ref() != Some(*problem)) {
            tracing::warn!(problem, "the dashboard can't read the verdicts");
        }
    }

    /// Counts records and passes them on. They are read before the board is locked.
    fn feed(&self, records: &[BorrowedMessage<'_>]) {
        let now = super::now();
        let read: Vec<_> = records.iter().map(|record| read(record, now)).collect();
        let unreadable = read.iter().filter(|read| read.is_none()).count() as u64;
        // A partial verdict is told in the accepted topic already, and counted there.
        let counts = |kept: &Kept| self.channel == Channel::Accepted || kept.outcome != Outcome::Partial;
        let read: Vec<_> = read.into_iter().flatten().filter(|(_, kept)| counts(kept)).collect();
        let mut board = self.shared.board();
        board.unreadable += unreadable;
        read.iter().for_each(|(told, kept)| board.feed(told, Arc::clone(kept)));
        drop(board);
        for (_, kept) in read {
            // Where nobody listens nothing is missed.
            _ = self.shared.stream.send(kept);
        }
    }
}

/// A record as it is counted and kept; `None` where it is no verdict.
fn read<'r>(record: &'r BorrowedMessage<'_>, now: i64) -> Option<(Told<'r>, Arc<Kept>)> {
    let value = record.payload()?;
    let told = Told::read(value)?;
    let at = record.timestamp().to_millis().unwrap_or(now).min(now);
    let place = Place { topic: record.topic().into(), partition: record.partition(), offset: record.offset() };
    let kept = Kept::of(&told, value, at, place)?;
    Some((told, Arc::new(kept)))
}
