//! The loop around a source and a work: one thread for each reader, their output written in order.
//!
//! Each thread reads a chunk, works through it into a buffer of its own, and writes when it is its turn. So there is one chunk a
//! thread in memory and no queue, and what is found of one record never depends on another's.

use std::{
    io::{self, Write},
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::{Counter, Failure, Source, Work};

/// Where works write.
pub type Output = Box<dyn Write + Send>;

/// Works through all of a source, each thread by a work of its own; the answer is all of them in one.
///
/// # Errors
/// The first failure of any thread.
pub fn run<W: Work>(
    source: &dyn Source,
    output: Output,
    counter: &Counter,
    work: impl Fn() -> W + Sync,
) -> Result<W, Failure> {
    let turn = Turn { output, written: 0, failed: false };
    let job = Job { source, counter, output: Mutex::new(turn), turned: Condvar::new() };
    thread::scope(|scope| {
        let (job, work) = (&job, &work);
        let running: Vec<_> = (0..source.threads().max(1)).map(|_| scope.spawn(|| job.work(work()))).collect();
        let ended: Vec<_> = running.into_iter().map(|thread| thread.join().unwrap_or(Err(Failure::Panicked))).collect();
        merged(ended, work())
    })
}

/// All that was found, or why it isn't all. A thread that stopped because another one failed is no cause.
fn merged<W: Work>(ended: Vec<Result<W, Failure>>, mut total: W) -> Result<W, Failure> {
    let mut stopped = None;
    for ended in ended {
        match ended {
            Ok(found) => total.add(found),
            Err(Failure::Stopped) => stopped = Some(Failure::Stopped),
            Err(failure) => return Err(failure),
        }
    }
    stopped.map_or(Ok(total), Err)
}

struct Job<'j> {
    source: &'j dyn Source,
    counter: &'j Counter,
    output: Mutex<Turn>,
    turned: Condvar,
}

/// The output, and how many chunks were written to it.
struct Turn {
    output: Output,
    written: u64,
    /// A thread has failed: its chunk will never be written, so nobody may wait for it.
    failed: bool,
}

impl Job<'_> {
    fn work<W: Work>(&self, mut work: W) -> Result<W, Failure> {
        let failing = Failing(self);
        let (mut reader, mut out) = (self.source.reader()?, Vec::new());
        while !self.counter.stopped() {
            out.clear();
            let read = reader.read(&mut |record, arena| {
                self.counter.wait();
                work.record(record, arena, &mut out)
            });
            let Some(chunk) = read? else {
                mem::forget(failing);
                return Ok(work);
            };
            self.counter.add(chunk);
            if !self.write(chunk.turn, &out).map_err(Failure::Writing)? {
                break;
            }
        }
        Err(Failure::Stopped)
    }

    /// Writes what was found in a chunk once all before it is written; false where that will never be.
    fn write(&self, turn: Option<u64>, found: &[u8]) -> io::Result<bool> {
        let early = |output: &mut Turn| !output.failed && turn.is_some_and(|turn| output.written < turn);
        let waiting = self.turned.wait_while(lock(&self.output), early);
        let mut output = waiting.unwrap_or_else(PoisonError::into_inner);
        if output.failed {
            return Ok(false);
        }
        output.output.write_all(found)?;
        output.output.flush()?;
        output.written += 1;
        self.turned.notify_all();
        Ok(true)
    }
}

/// Dropped by an error or a panic, it keeps the other threads from waiting for a chunk that will never be written, and from keeping
/// to a pace for it.
struct Failing<'j, 's>(&'j Job<'s>);

impl Drop for Failing<'_, '_> {
    fn drop(&mut self) {
        self.0.counter.stop();
        lock(&self.0.output).failed = true;
        self.0.turned.notify_all();
    }
}

/// A lock is poisoned only by a panic, after which nothing more is written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
