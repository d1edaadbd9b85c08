//! One worker over one backlog: started, watched by what its group has committed, stopped, its output checked.
//!
//! A worker is measured once it runs: the window begins when half as many events are done and each partition has had a commit. Where
//! there is a second window, of a worker that warms up, the first one begins with its first commit: what it shows is the beginning. The
//! start itself is in the time to the first verdict.

use std::time::Duration;

use crate::{
    check,
    input::Input,
    peers::worker::{Pace, Worker},
    watch::{Watch, Window},
};

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Events of a window.
    pub(crate) events: i64,
    /// Events after which a worker counts as warm.
    pub(crate) warm_from: i64,
}

impl Plan {
    /// Three windows to warm up, and then another one.
    pub(crate) fn of(events: i64) -> Self {
        Self { events, warm_from: 3 * events }
    }

    /// Events of a window of this worker. It takes seconds, beside which the tenths between two commits are little.
    pub(crate) fn events_of(self, worker: &Worker) -> i64 {
        match worker.pace() {
            Pace::Slow => self.events / 4,
            Pace::Warms => self.events,
            Pace::Fast => 2 * self.events,
        }
    }

    /// What the topic must hold: more than anybody is watched for, so that nobody runs dry in one partition while others have some left.
    pub(crate) fn backlog(self) -> i64 {
        (self.warm_from + self.events) * 5 / 4
    }
}

/// What was measured.
pub(crate) struct Figures {
    /// From the start of the process to its first commit being seen.
    pub(crate) first_verdict: Duration,
    pub(crate) window: Window,
    /// The last window of a worker that warms up.
    pub(crate) warm: Option<Window>,
    /// Between two commits of one partition, the median.
    pub(crate) commit_gap: Duration,
    pub(crate) peak_mib: u64,
    pub(crate) counts: check::Counts,
}

impl Figures {
    /// In a line.
    pub(crate) fn told(&self) -> String {
        let warm = self.warm.map_or(String::new(), |warm| format!("; warm {}", warm.told()));
        format!(
            "{}{warm}; {} MiB; {} ms between commits; {:.2} s to the first verdict",
            self.window.told(),
            self.peak_mib,
            self.commit_gap.as_millis(),
            self.first_verdict.as_secs_f64()
        )
    }
}

/// Runs the worker and checks what it wrote.
pub(crate) fn measure(worker: &Worker, input: &Input, plan: Plan) -> anyhow::Result<Figures> {
    // Held until the worker has ended.
    let folder = tempfile::tempdir()?;
    let mut watch = Watch::new(worker.start(input, folder.path())?, &input.topic)?;
    let first = watch.until(1)?;
    let events = plan.events_of(worker);
    let warms = worker.pace() == Pace::Warms;
    let from = if warms { first } else { watch.under_way(events / 2)? };
    let window = watch.window(from, events)?;
    let warm = if warms {
        let from = watch.until(plan.warm_from)?;
        Some(watch.window(from, events)?)
    } else {
        None
    };
    let (peak_mib, commit_gap) = (watch.running.peak_memory(), watch.commit_gap());
    let committed = watch.stop()?;
    let counts = check::complete(&watch.running.topics, &committed, input)?;
    Ok(Figures { first_verdict: first.at - watch.running.begun, window, warm, commit_gap, peak_mib, counts })
}
