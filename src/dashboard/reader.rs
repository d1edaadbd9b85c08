//! The threads that read, one for each verdict topic. They feed the board and the stream, and wait for nobody: the board's lock is
//! held for as long as counting takes.

use std::{
    collections::BTreeMap,
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
use crate::{
    domain::{
        Header,
        verdict::{Outcome, REPLAY_HEADER},
    },
    native,
};

/// How long to wait before a topic that can't be read is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// The most bytes that are kept of a replay's id; no id has as many.
const REPLAY_BYTES: usize = 64;
/// How often a reader looks whether the other topic was looked at, too.
const MEETING: Duration = Duration::from_millis(20);
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
    /// From when on the topic can be read, once that was looked up.
    pub(super) from: Option<i64>,
    /// Whether the end has been reached once.
    pub(super) read_back: bool,
    /// Whether it also stands close to the end now.
    pub(super) caught_up: bool,
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

/// A record as it was read.
struct Read<'r> {
    /// When it was written.
    at: i64,
    /// Whether it came after the topic was opened.
    news: bool,
    /// What it tells; `None` where it is no verdict.
    told: Option<(Told<'r>, Arc<Kept>)>,
}

impl Read<'_> {
    /// Whether it is of the history that begins then, or came after it, whatever the clock of its writer said.
    fn is_since(&self, from: i64) -> bool {
        self.news || self.at >= from
    }
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
            match self.begin() {
                Ok(topic) => return topic,
                Err(error) => self.progress(|progress| progress.problem = Some(error.to_string())),
            }
            thread::park_timeout(PAUSE);
        }
        None
    }

    /// Begins to read the topic, at the same time as the other one; `None` when stopped first.
    fn begin(&self) -> Result<Option<Topic>, TopicError> {
        let mut topic = Topic::open(&self.consumer, &self.topic)?;
        let own = topic.since(self.history, self.shared.earliest)?;
        let Some(from) = self.agree(own) else { return Ok(None) };
        topic.begin(self.history, from)?;
        Ok(Some(topic))
    }

    /// From when on both topics are read, where this one can be from `own` on: known once the other was looked at, too. `None` when stopped
    /// first. It stays what it is, or what one has begun the other would miss.
    fn agree(&self, own: i64) -> Option<i64> {
        self.progress(|progress| progress.from = progress.from.or(Some(own)));
        while !self.stop.load(Relaxed) {
            match self.shared.from() {
                None => thread::park_timeout(MEETING),
                from => return from,
            }
        }
        None
    }

    fn step(&self, topic: &mut Topic) {
        let (ends, from) = (topic.ends(), topic.from());
        match topic.read() {
            Ok(records) => {
                let number = records.len() as u64;
                let now = super::now();
                let read = records.iter().map(|record| read(record, &ends, now));
                self.feed(read.filter(|read| read.is_since(from)).collect());
                drop(records);
                let (read_back, caught_up) = (topic.read_back(), topic.caught_up());
                self.progress(|progress| {
                    progress.records += number;
                    (progress.read_back, progress.caught_up) = (read_back, caught_up);
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
        // What is told of a broker that is away differs from try to try.
        let away = |problem: &String| problem.starts_with("no broker answers");
        let news = |problem: &&String| {
            before.as_ref().is_none_or(|before| before != *problem && !(away(before) && away(problem)))
        };
        if let Some(problem) = progress.problem.as_ref().filter(news) {
            tracing::warn!(problem, "the dashboard can't read the verdicts");
        }
    }

    /// Counts records, and passes on those that are news: others were told before, by whoever was there. They are read before the board
    /// is locked.
    fn feed(&self, records: Vec<Read<'_>>) {
        // A partial verdict is told in the accepted topic already, and counted there.
        let counts = |kept: &Kept| self.channel == Channel::Accepted || kept.outcome != Outcome::Partial;
        let (mut unreadable, mut news) = (0, Vec::new());
        let mut board = self.shared.board();
        for Read { at, news: is_news, told } in records {
            match told {
                None => {
                    board.unreadable.add(at);
                    unreadable += usize::from(is_news);
                }
                Some((told, kept)) if counts(&kept) => {
                    board.feed(&told, Arc::clone(&kept));
                    news.extend(is_news.then_some(kept));
                }
                Some(_) => {}
            }
        }
        drop(board);
        self.shared.counts.unreadable(unreadable);
        for kept in news {
            // Where nobody listens nothing is missed.
            _ = self.shared.stream.send(kept);
        }
    }
}

fn read<'r>(record: &'r BorrowedMessage<'_>, ends: &BTreeMap<i32, i64>, now: i64) -> Read<'r> {
    let at = record.timestamp().to_millis().unwrap_or(now).min(now);
    let news = ends.get(&record.partition()).is_none_or(|end| record.offset() >= *end);
    Read { at, news, told: told(record, at) }
}

fn told<'r>(record: &'r BorrowedMessage<'_>, at: i64) -> Option<(Told<'r>, Arc<Kept>)> {
    let value = record.payload()?;
    let told = Told::read(value)?;
    let place = Place { topic: record.topic().into(), partition: record.partition(), offset: record.offset() };
    let mut kept = Kept::of(&told, value, at, place)?;
    native::headers(record, |header| kept.replay = kept.replay.take().or_else(|| replay(&header)));
    Some((told, Arc::new(kept)))
}

/// The id of the replay that a header names, as far as it is one.
fn replay(header: &Header<'_>) -> Option<Box<str>> {
    if header.name != REPLAY_HEADER {
        return None;
    }
    let id = header.value.unwrap_or_default();
    Some(String::from_utf8_lossy(id.get(..REPLAY_BYTES).unwrap_or(id)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        count::bounded::Tally as _,
        dashboard::board::{
            Limits,
            samples::{self, NOW},
        },
    };

    fn reader() -> Reader {
        let limits = Limits { organizations: 1, attributes: 1, verdicts: 1, verdicts_bytes: 1 << 20 };
        of(Channel::Accepted, &Arc::new(Shared::new(limits, NOW)))
    }

    fn of(channel: Channel, shared: &Arc<Shared>) -> Reader {
        Reader {
            channel,
            topic: "verdicts".to_owned(),
            history: History::Whole,
            consumer: ClientConfig::new(),
            shared: Arc::clone(shared),
            stop: Arc::default(),
        }
    }

    #[test]
    fn both_topics_begin_at_the_later_of_the_times_from_which_they_can_be_read() {
        let accepted = reader();
        let rejected = of(Channel::Rejected, &accepted.shared);
        assert_eq!((rejected.shared.reading().from, rejected.shared.reading().cut), (NOW, false));
        thread::scope(|scope| {
            let waits = scope.spawn(|| rejected.agree(NOW));
            assert_eq!(accepted.agree(NOW + 5), Some(NOW + 5));
            assert_eq!(waits.join().unwrap(), Some(NOW + 5));
        });
        assert_eq!(rejected.agree(NOW + 9), Some(NOW + 5), "one that is opened anew begins where the other did");
        assert_eq!((rejected.shared.reading().from, rejected.shared.reading().cut), (NOW + 5, true));
    }

    #[test]
    fn what_is_older_than_the_beginning_is_left_out_unless_it_is_news() {
        for (at, news, is) in [(NOW, false, true), (NOW - 1, false, false), (NOW - 1, true, true)] {
            assert_eq!(Read { at, news, told: None }.is_since(NOW), is, "{at}, {news}");
        }
    }

    #[test]
    fn who_is_stopped_waits_for_no_other_topic() {
        let reader = reader();
        reader.stop.store(true, Relaxed);
        assert_eq!(reader.agree(NOW), None);
    }

    #[test]
    fn a_replay_is_told_by_its_header_whatever_that_says() {
        let of = |name, value| replay(&Header { name, value });
        assert_eq!(of("attrsync-replay", Some("one".as_bytes())).as_deref(), Some("one"));
        assert_eq!(of("attrsync-replay", None).as_deref(), Some(""));
        assert_eq!(of("attrsync-replay", Some(&[0xff; 1_000])).unwrap().chars().count(), REPLAY_BYTES);
        assert_eq!(of("attrsync-reason", Some("one".as_bytes())), None);
    }

    #[test]
    fn what_was_written_before_it_began_is_counted_and_is_no_news() {
        let reader = reader();
        let mut stream = reader.shared.stream.subscribe();
        let verdict = samples::verdict(Outcome::Accepted, 1).to_string();
        let written = |at, news| {
            let told = Told::read(verdict.as_bytes()).unwrap();
            let kept = Kept::of(&told, verdict.as_bytes(), at, samples::place(1)).unwrap();
            Read { at, news, told: Some((told, Arc::new(kept))) }
        };
        let unreadable = |news| Read { at: NOW, news, told: None };
        reader.feed(vec![written(NOW - 1, false), written(NOW, true), unreadable(false), unreadable(true)]);
        assert_eq!(stream.try_recv().unwrap().at, NOW);
        assert!(stream.try_recv().is_err());
        assert_eq!(reader.shared.counts.unreadable_so_far(), 1);
        let board = reader.shared.board();
        assert_eq!((board.outcomes.weight(), board.unreadable.total), (2, 2));
    }
}
