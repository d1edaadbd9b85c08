//! All records of an input judged by several threads, their verdicts written in order.
//!
//! Each thread takes the next batch of lines, judges it into a buffer of its own, and writes when it is its turn. So there
//! is one batch a thread in memory and no queue, and one record's verdict never depends on another's.

use std::{
    io::{self, Write},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use anyhow::{Context, anyhow};

use super::{
    super::judging::{Defaults, Input},
    tally::Tally,
};
use crate::{
    domain::{Arena, Snapshot},
    source::file::{Batch, Reader},
    worker::judge,
};

/// How far a job is.
#[derive(Debug, Default)]
pub(super) struct Counter {
    /// Records judged.
    pub(super) records: AtomicU64,
    /// Bytes of their lines.
    pub(super) bytes: AtomicU64,
}

/// Where verdicts are written.
pub(super) type Output = Box<dyn Write + Send>;

/// By what a job judges.
pub(super) struct By {
    /// The settings.
    pub(super) snapshot: Arc<Snapshot>,
    /// What stands in for what records do not say.
    pub(super) defaults: Defaults,
}

/// All records of an input.
pub(super) struct Job {
    name: String,
    input: Mutex<Numbered>,
    output: Mutex<Turn>,
    turned: Condvar,
    by: By,
    counter: Arc<Counter>,
}

/// The input, and how many batches were taken from it.
struct Numbered {
    reader: Reader<Box<dyn io::Read + Send>>,
    taken: u64,
}

/// The output, and how many batches were written to it.
struct Turn {
    output: Output,
    written: u64,
    /// A thread has failed: its batch will never be written, so nobody may wait for it.
    failed: bool,
}

impl Job {
    /// A job that has not begun.
    pub(super) fn new(input: Input, output: Output, by: By) -> Self {
        let reader = Reader::new(input.reader, by.snapshot.policy());
        Self {
            name: input.name,
            input: Mutex::new(Numbered { reader, taken: 0 }),
            output: Mutex::new(Turn { output, written: 0, failed: false }),
            turned: Condvar::new(),
            by,
            counter: Arc::default(),
        }
    }

    /// How far it is.
    pub(super) fn counter(&self) -> Arc<Counter> {
        Arc::clone(&self.counter)
    }

    /// Judges everything.
    pub(super) fn run(&self) -> anyhow::Result<Tally> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.judge_batches())).collect();
            let mut total = Tally::default();
            for thread in running {
                total.add(thread.join().unwrap_or_else(|_| Err(anyhow!("a judging thread panicked")))?);
            }
            Ok(total)
        })
    }

    fn judge_batches(&self) -> anyhow::Result<Tally> {
        let failing = Failing(self);
        let (mut batch, mut verdicts, mut arena, mut tally) =
            (Batch::default(), Vec::new(), Arena::new(), Tally::default());
        while let Some(number) = self.take(&mut batch).context("the records cannot be read")? {
            verdicts.clear();
            for line in batch.lines() {
                let record = self.by.defaults.record(line, &self.name, &arena);
                let verdict = judge(&arena, &record, &self.by.snapshot, self.by.defaults.now);
                tally.count(&verdict);
                serde_json::to_writer(&mut verdicts, &verdict)?;
                verdicts.push(b'\n');
                arena.reset();
            }
            self.counter.records.fetch_add(batch.lines().len() as u64, Relaxed);
            self.counter.bytes.fetch_add(batch.bytes() as u64, Relaxed);
            if !self.write(number, &verdicts).context("the verdicts cannot be written")? {
                break;
            }
        }
        std::mem::forget(failing);
        Ok(tally)
    }

    /// The next batch and its number; none at the end.
    fn take(&self, batch: &mut Batch) -> io::Result<Option<u64>> {
        let mut input = lock(&self.input);
        if !input.reader.fill(batch)? {
            return Ok(None);
        }
        input.taken += 1;
        Ok(Some(input.taken - 1))
    }

    /// Writes the verdicts of a batch once all before it are written; false where that will never be.
    fn write(&self, number: u64, verdicts: &[u8]) -> io::Result<bool> {
        let waiting = self.turned.wait_while(lock(&self.output), |turn| !turn.failed && turn.written < number);
        let mut turn = waiting.unwrap_or_else(PoisonError::into_inner);
        if turn.failed {
            return Ok(false);
        }
        turn.output.write_all(verdicts)?;
        turn.output.flush()?;
        turn.written += 1;
        self.turned.notify_all();
        Ok(true)
    }
}

/// Dropped by an error or a panic, it keeps the other threads from waiting for a batch that will never be written.
struct Failing<'j>(&'j Job);

impl Drop for Failing<'_> {
    fn drop(&mut self) {
        lock(&self.0.output).failed = true;
        self.0.turned.notify_all();
    }
}

/// A lock is poisoned only by a panic, after which nothing more is written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
