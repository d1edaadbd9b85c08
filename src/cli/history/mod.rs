//! History on the command line: which events, how far it is, and an end by ctrl-C. What `replay` is made of, every command over
//! history shares: a clap group that says which events, and a job that runs while its progress is shown.

mod options;
mod progress;
mod topic;

use std::{
    io::sink,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use super::interrupt::Interrupt;
use crate::replay::{self, Counter, Failure, Limits, Output, Source, Work};

pub(super) use self::{
    options::{Choice, HistoryOptions, PickOptions, fetching, look_up},
    progress::{Progress, Terminal},
    topic::topic,
};

/// How often progress is looked at.
const TICK: Duration = Duration::from_millis(100);
/// How long a job may take to end after ctrl-C. One that waits for a pipe never does.
const ENDING: Duration = Duration::from_millis(500);

/// Does what can't be interrupted on a thread of its own; `None` where ctrl-C came first. Nobody waits for it any more then.
pub(super) fn unless_interrupted<T: Send + 'static>(
    interrupt: &Interrupt,
    job: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<Option<T>> {
    let (tell, news) = channel();
    thread::Builder::new()
        .name("look-up".to_owned())
        .spawn(move || _ = tell.send(job()))
        .context("no thread for it")?;
    loop {
        match news.recv_timeout(TICK) {
            Ok(done) => return Ok(Some(done)),
            Err(RecvTimeoutError::Disconnected) => bail!("the working thread is gone"),
            Err(RecvTimeoutError::Timeout) if interrupt.came() => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// What ends a job, and how fast it may go.
pub(super) type Held<'h> = (&'h Interrupt, Limits);

/// Works through history in the background, so that an interrupt ends the command even while it waits for input; shows how
/// far it is meanwhile. What works write goes nowhere. `None` where it was interrupted.
pub(super) fn run<W: Work + 'static>(
    source: Arc<dyn Source>,
    held: Held<'_>,
    work: impl Fn() -> W + Send + Sync + 'static,
) -> anyhow::Result<Option<W>> {
    run_into((Box::new(sink()), Terminal::Free), source, held, work)
}

/// The same, where works write something, with what that leaves of the terminal.
pub(super) fn run_into<W: Work + 'static>(
    (output, terminal): (Output, Terminal),
    source: Arc<dyn Source>,
    held: Held<'_>,
    work: impl Fn() -> W + Send + Sync + 'static,
) -> anyhow::Result<Option<W>> {
    let progress = Progress::new((source.size(), source.measure()), terminal);
    watch(held, progress, ENDING, move |counter| replay::run(source.as_ref(), output, counter, work))
}

/// Runs a job in the background and shows how far it is; `None` where it was interrupted. It may take so long to end then.
pub(super) fn watch<T: Send + 'static>(
    (interrupt, limits): Held<'_>,
    mut progress: Progress,
    ending: Duration,
    job: impl FnOnce(&Counter) -> Result<T, Failure> + Send + 'static,
) -> anyhow::Result<Option<T>> {
    let (tell, news) = channel();
    let counter = Arc::new(Counter::new(limits));
    let counts = Arc::clone(&counter);
    let job = move || _ = tell.send(job(&counts));
    thread::Builder::new().name("replay".to_owned()).spawn(job).context("no thread for the history")?;
    let mut interrupted: Option<Instant> = None;
    loop {
        match news.recv_timeout(TICK) {
            Ok(Err(Failure::Stopped)) => return Ok(None),
            Ok(found) => {
                progress.end();
                return Ok(Some(found?));
            }
            Err(RecvTimeoutError::Disconnected) => bail!("the working threads are gone"),
            Err(RecvTimeoutError::Timeout) => progress.show(&counter),
        }
        if interrupt.came() {
            counter.stop();
            if interrupted.get_or_insert_with(Instant::now).elapsed() > ending {
                return Ok(None);
            }
        }
    }
}
