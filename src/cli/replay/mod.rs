//! `attrsync replay`: judges records from a file again, one verdict a line, in their order.
//!
//! ```text
//! kcat -C -b localhost -t events -J -e | attrsync replay --from-file - --to-file verdicts.ndjson
//! attrsync replay --from-file events.ndjson --to-file - --settings next.toml | jq 'select(.verdict == "rejected")'
//! ```
//!
//! Whole or not at all: verdicts are written beside the file and take its name at the end.

mod judge_all;
mod progress;
mod tally;
mod target;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;

use super::{
    interrupt::on_interrupt,
    judging::{Input, JudgeOptions, interrupted},
};
use judge_all::{By, Job};
use progress::Progress;
use tally::{Summary, Tally};
use target::Target;

/// What stands below the help.
const AFTER_HELP: &str = "\
A line is a record as `kcat -J` prints it, or the event alone. Verdicts come in the order of the records.

Examples:
  attrsync replay --from-file events.ndjson --to-file verdicts.ndjson
  kcat -C -b localhost -t events -J -e | attrsync replay --from-file - --to-file verdicts.ndjson
  attrsync replay --from-file events.ndjson --to-file - --settings next.toml | jq 'select(.verdict == \"rejected\")'

Exit codes: 0 every record has its verdict; 1 a fault; 2 usage or configuration; 130 interrupted.";

/// How often progress is looked at.
const TICK: Duration = Duration::from_millis(100);

/// Judge records from a file again, one verdict a line
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ReplayArgs {
    /// Records, one a line; - for standard input
    #[arg(long, value_name = "FILE")]
    from_file: PathBuf,

    /// Where verdicts go, one a line; - for standard output
    #[arg(long, value_name = "FILE")]
    to_file: PathBuf,

    /// Replace the file of verdicts if it is there
    #[arg(long)]
    force: bool,

    /// Print the summary as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    judge: JudgeOptions,
}

/// What the command waits for.
enum News {
    Done(anyhow::Result<Tally>),
    Interrupted,
}

impl ReplayArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let (tell, news) = channel();
        let interrupts = tell.clone();
        // Before there is a file that an interrupt would leave behind.
        on_interrupt(move || _ = interrupts.send(News::Interrupted)).context("signals cannot be listened to")?;
        let input = Input::open(&self.from_file)?;
        let settings = self.judge.settings()?;
        self.refuse_same_file()?;
        let (target, output) = Target::open(&self.to_file, self.force)?;
        let mut progress = Progress::new(input.bytes, target.leaves_terminal_free());
        let (began, snapshot) = (Instant::now(), settings.current());
        let version = snapshot.version();
        let job = Job::new(input, output, By { snapshot, defaults: self.judge.defaults() });
        let counter = job.counter();
        start(job, tell)?;
        let tally = loop {
            match news.recv_timeout(TICK) {
                Err(RecvTimeoutError::Timeout) => progress.show(&counter),
                Err(RecvTimeoutError::Disconnected) => bail!("the judging threads are gone"),
                Ok(News::Done(tally)) => break tally?,
                Ok(News::Interrupted) => return Ok(interrupted()),
            }
        };
        target.keep()?;
        progress.end();
        Summary { tally: &tally, version, took: began.elapsed() }.print(self.json)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Written in place of its own input, a replay could never be repeated.
    fn refuse_same_file(&self) -> anyhow::Result<()> {
        let real = |path: &Path| path.canonicalize().ok().filter(|path| path.is_file());
        if let (Some(from), Some(to)) = (real(&self.from_file), real(&self.to_file))
            && from == to
        {
            bail!("{} is read from and written to; name another file for the verdicts", to.display());
        }
        Ok(())
    }
}

/// Judges in the background, so that an interrupt ends the command even while it waits for input.
fn start(job: Job, tell: Sender<News>) -> anyhow::Result<()> {
    let run = move || _ = tell.send(News::Done(job.run()));
    thread::Builder::new().name("replay".to_owned()).spawn(run).context("no thread for the replay")?;
    Ok(())
}
