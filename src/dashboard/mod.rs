//! The dashboard: a page and an API about verdicts, made from the verdict topics alone. Of the topics of events it looks up how far the
//! group is, and reads whether anything waits in a partition that stands still. It observes; the worker doesn't know of it
//! and never waits for it, in another process or in the same one.
//!
//! ```text
//! topics ──► topic, reader ──► board (pure, bounded) ──► answers (pure) ──► server: page, JSON
//!                         └──► broadcast ──────────────────────────────► server: stream
//! ```
//!
//! What verdicts say was written by whoever sends events. It is counted in tables that don't grow, answered as JSON, and put
//! into the page as text.

mod answers;
mod board;
mod lag;
mod metrics;
mod options;
mod reader;
mod server;
mod topic;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};

use tokio::sync::broadcast;

pub use board::Limits;
pub use options::{History, Options};
pub use server::{
    access::{Token, TokenError},
    openapi,
};

use answers::{Around, Looked, Reading};
use board::{Board, told::Kept};
use lag::Watch;
use reader::{Channel, Progress, Reader};

use crate::observe::serve::Server;

/// Verdicts that may wait for subscribers, of 16 KiB at most each and what is kept beside that; one who falls behind further is dropped.
/// Some seconds of a busy worker. docs/OPERATIONS.md tells what that can come to.
const WAITING: usize = 16_384;

/// What the readers write and the server reads. Each lock is held for as long as counting or copying takes, and no two at once.
struct Shared {
    board: Mutex<Board>,
    accepted: Mutex<Progress>,
    rejected: Mutex<Progress>,
    lag: Mutex<Looked>,
    /// From when on verdicts are read where all of them fit.
    earliest: i64,
    stream: broadcast::Sender<Arc<Kept>>,
    counts: Arc<metrics::Counts>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counting does not panic; if it did, the counts would still be the best there are.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Nothing read yet, of verdicts from this time on at the earliest.
    fn new(limits: Limits, earliest: i64) -> Self {
        Self {
            board: Mutex::new(Board::new(limits)),
            accepted: Mutex::default(),
            rejected: Mutex::default(),
            lag: Mutex::default(),
            earliest,
            stream: broadcast::Sender::new(WAITING),
            counts: Arc::default(),
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        lock(&self.board)
    }

    fn lag(&self) -> MutexGuard<'_, Looked> {
        lock(&self.lag)
    }

    fn progress(&self, channel: Channel) -> MutexGuard<'_, Progress> {
        match channel {
            Channel::Accepted => lock(&self.accepted),
            Channel::Rejected => lock(&self.rejected),
        }
    }

    /// From when on both topics are read: the later of the times from which on each can be, or a share of one outcome in all would be of
    /// different times. Known once both were looked at.
    fn from(&self) -> Option<i64> {
        let [accepted, rejected] = [Channel::Accepted, Channel::Rejected].map(|channel| self.progress(channel).from);
        Some(accepted?.max(rejected?))
    }

    fn reading(&self) -> Reading {
        let from = self.from().unwrap_or(self.earliest);
        let [accepted, rejected] = [Channel::Accepted, Channel::Rejected].map(|channel| self.progress(channel).clone());
        Reading {
            from,
            cut: from > self.earliest,
            caught_up: accepted.caught_up && rejected.caught_up,
            records: accepted.records + rejected.records,
            problem: accepted.problem.or(rejected.problem),
        }
    }

    fn around(&self) -> Around {
        Around { reading: self.reading(), lag: self.lag().clone() }
    }
}

/// A running dashboard; it ends when this is dropped.
pub struct Dashboard {
    server: Server,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Dashboard {
    /// Listens, and begins to read. It answers before a broker does.
    ///
    /// # Errors
    /// When the address can't be listened on, or the system has no thread to give.
    pub fn start(mut options: Options) -> io::Result<Self> {
        let stop = Arc::<AtomicBool>::default();
        let earliest = match options.history {
            History::Whole => now(),
            History::Window { time, .. } => now() - i64::try_from(time.as_millis()).unwrap_or_default(),
        };
        let shared = Arc::new(Shared::new(options.limits, earliest));
        let server = server::start(&mut options, Arc::clone(&shared))?;
        let mut dashboard = Self { server, stop, threads: Vec::new() };
        dashboard.read(options, &shared)?;
        Ok(dashboard)
    }

    fn read(&mut self, options: Options, shared: &Arc<Shared>) -> io::Result<()> {
        let Options { accepted, rejected, history, consumer, inputs, group, .. } = options;
        for (channel, topic) in [(Channel::Accepted, accepted), (Channel::Rejected, rejected)] {
            let (consumer, shared, stop) = (consumer.clone(), Arc::clone(shared), Arc::clone(&self.stop));
            let reader = Reader { channel, topic, history, consumer, shared, stop };
            self.spawn("verdicts", move || reader.run())?;
        }
        let watch = Watch { inputs, group, consumer, shared: Arc::clone(shared), stop: Arc::clone(&self.stop) };
        self.spawn("lag", move || watch.run())
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(thread::Builder::new().name(name.to_owned()).spawn(run)?);
        Ok(())
    }

    /// Where it listens; with port 0 the system has chosen one.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A panic there has been reported by the panic hook.
            _ = thread.join();
        }
    }
}

/// Now, in milliseconds since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
