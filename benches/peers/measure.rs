//! One worker over one backlog: started, watched by what its group has committed, stopped, its output checked.
//!
//! A window begins with the first commit that is seen (or, warm, with the first one past so many events) and ends with the commit that
//! is so many events further; rate and CPU are of what was committed in between. The start, the group's first rebalance and what is worked
//! off before the first commit are outside; they are in the time from start to first verdict.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use crate::{
    check,
    cluster::Group,
    input::{self, Input},
    worker::{Running, Worker},
};

/// Without a commit for so long a worker has failed.
const STANDSTILL: Duration = Duration::from_secs(60);
/// A run that takes longer than that is given up.
const DEADLINE: Duration = Duration::from_secs(900);

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
    pub(crate) peak_mib: u64,
    pub(crate) counts: check::Counts,
}

/// A stretch of the work.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    events: i64,
    took: Duration,
    cpu: Duration,
}

impl Window {
    pub(crate) fn events_per_s(self) -> f64 {
        self.events as f64 / self.took.as_secs_f64()
    }

    pub(crate) fn cpu_micros(self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.events as f64
    }

    fn told(self) -> String {
        format!("{:.0} events/s, {:.1} µs of CPU an event", self.events_per_s(), self.cpu_micros())
    }
}

impl Figures {
    /// In a line.
    pub(crate) fn told(&self) -> String {
        let warm = self.warm.map_or(String::new(), |warm| format!("; warm {}", warm.told()));
        format!(
            "{}{warm}; {} MiB; {:.2} s to the first verdict",
            self.window.told(),
            self.peak_mib,
            self.first_verdict.as_secs_f64()
        )
    }
}

/// Runs the worker and checks what it wrote.
pub(crate) fn measure(worker: &Worker, input: &Input, plan: Plan) -> anyhow::Result<Figures> {
    let mut running = worker.start(input)?;
    let begun = running.begun;
    let group = Group::of(&running.topics.group, &input.topic);
    let mut watch = Watch { running: &mut running, group: &group, begun, last: (begun, 0) };
    let first = watch.until(1)?;
    let window = watch.window(&first, plan.events)?;
    let warm = if worker.warms() {
        let from = watch.until(plan.warm_from)?;
        Some(watch.window(&from, plan.events)?)
    } else {
        None
    };
    let peak_mib = running.peak_memory();
    running.stop()?;
    let counts = check::complete(&running.topics, &group.offsets(), input)?;
    input::delete(&[&running.topics.accepted, &running.topics.rejected]);
    Ok(Figures { first_verdict: first.at - begun, window, warm, peak_mib, counts })
}

/// What was seen when so much was committed.
struct Mark {
    at: Instant,
    committed: i64,
    cpu: Duration,
}

struct Watch<'w> {
    running: &'w mut Running,
    group: &'w Group,
    begun: Instant,
    /// When something was committed last, and how much there was.
    last: (Instant, i64),
}

impl Watch<'_> {
    /// What so many events from there on take.
    fn window(&mut self, from: &Mark, events: i64) -> anyhow::Result<Window> {
        let end = self.until(from.committed + events)?;
        Ok(Window {
            events: end.committed - from.committed,
            took: end.at - from.at,
            cpu: end.cpu.saturating_sub(from.cpu),
        })
    }

    /// Waits until so much is committed.
    fn until(&mut self, events: i64) -> anyhow::Result<Mark> {
        loop {
            let committed = self.group.committed();
            let at = Instant::now();
            if committed >= events {
                return Ok(Mark { at, committed, cpu: self.running.cpu() });
            }
            if let Some(status) = self.running.ended()? {
                bail!("it ended by itself, {status}; {}", self.log());
            }
            if committed > self.last.1 {
                self.last = (at, committed);
            }
            ensure!(
                at - self.last.0 < STANDSTILL,
                "nothing new was committed for {} s; {}",
                STANDSTILL.as_secs(),
                self.log()
            );
            ensure!(at - self.begun < DEADLINE, "it took longer than {} s; {}", DEADLINE.as_secs(), self.log());
            // The first commit is looked for more closely than the others.
            std::thread::park_timeout(Duration::from_millis(if committed == 0 { 5 } else { 20 }));
        }
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(&self.running.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(5).collect();
        format!("{}: {}", self.running.log.display(), lines.into_iter().rev().collect::<Vec<_>>().join(" | "))
    }
}
