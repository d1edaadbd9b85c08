//! A worker that is watched from outside, by what its group has committed.
//!
//! A window begins with a commit that is seen and ends with the one that is so many events further; rate and CPU are of what was
//! committed in between.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::{cluster::Group, worker::Running};

/// Without a commit for so long a worker has failed.
const STANDSTILL: Duration = Duration::from_secs(60);
/// A run that takes longer than that is given up.
const DEADLINE: Duration = Duration::from_secs(900);

/// A stretch of the work.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) events: i64,
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

    pub(crate) fn told(self) -> String {
        format!("{:.0} events/s, {:.1} µs of CPU an event", self.events_per_s(), self.cpu_micros())
    }
}

/// What was seen when so much was committed.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) at: Instant,
    pub(crate) committed: i64,
    cpu: Duration,
}

impl Mark {
    /// What was done since an earlier one.
    pub(crate) fn since(self, from: Self) -> Window {
        Window {
            events: self.committed - from.committed,
            took: self.at - from.at,
            cpu: self.cpu.saturating_sub(from.cpu),
        }
    }
}

/// A worker, and the group that it is in.
pub(crate) struct Watch {
    pub(crate) running: Running,
    group: Group,
    /// When something was committed last, and how much there was.
    last: (Instant, i64),
    /// The same of each partition.
    partitions: Vec<(Instant, i64)>,
    /// Times between two commits of one partition, as far as looks tell.
    gaps: Vec<Duration>,
}

impl Watch {
    pub(crate) fn new(running: Running, input: &str) -> anyhow::Result<Self> {
        let group = Group::of(&running.topics.group, input)?;
        Ok(Self { group, last: (running.begun, 0), partitions: Vec::new(), gaps: Vec::new(), running })
    }

    /// What so many events from there on take.
    pub(crate) fn window(&mut self, from: Mark, events: i64) -> anyhow::Result<Window> {
        Ok(self.until(from.committed + events)?.since(from))
    }

    /// Waits until so much is committed.
    pub(crate) fn until(&mut self, events: i64) -> anyhow::Result<Mark> {
        loop {
            let mark = self.look()?;
            if mark.committed >= events {
                return Ok(mark);
            }
            // The first commit is looked for more closely than the others.
            std::thread::park_timeout(Duration::from_millis(if mark.committed == 0 { 5 } else { 20 }));
        }
    }

    /// Waits until so much is committed, and some of each partition: then each thread of the worker has those that are its own.
    pub(crate) fn under_way(&mut self, events: i64) -> anyhow::Result<Mark> {
        let mut mark = self.until(events)?;
        while self.partitions.iter().any(|(_, committed)| *committed == 0) {
            mark = self.until(mark.committed + 1)?;
        }
        Ok(mark)
    }

    /// How far it is; an error where it gets nowhere.
    pub(crate) fn look(&mut self) -> anyhow::Result<Mark> {
        let offsets = self.group.offsets()?;
        let at = Instant::now();
        let committed: i64 = offsets.iter().sum();
        self.note(&offsets, at);
        self.running.still_runs()?;
        if committed > self.last.1 {
            self.last = (at, committed);
        }
        let (standstill, taken) = (at - self.last.0, at - self.running.begun);
        let log = || self.running.log();
        ensure!(standstill < STANDSTILL, "nothing new was committed for {} s; {}", STANDSTILL.as_secs(), log());
        ensure!(taken < DEADLINE, "it took longer than {} s; {}", DEADLINE.as_secs(), log());
        Ok(Mark { at, committed, cpu: self.running.cpu() })
    }

    /// Notes which partitions have a new commit.
    fn note(&mut self, offsets: &[i64], at: Instant) {
        self.partitions.resize(offsets.len(), (at, 0));
        for (last, offset) in self.partitions.iter_mut().zip(offsets) {
            if *offset > last.1 {
                // The first one ends nothing.
                if last.1 > 0 {
                    self.gaps.push(at - last.0);
                }
                *last = (at, *offset);
            }
        }
    }

    /// The median time between two commits of one partition. Looks are 20 ms apart, and one that came late takes two commits for one.
    pub(crate) fn commit_gap(&self) -> Duration {
        let mut gaps = self.gaps.clone();
        gaps.sort();
        gaps.get(gaps.len() / 2).copied().unwrap_or_default()
    }

    /// Stops it, and says how much of each partition it has committed.
    pub(crate) fn stop(&mut self) -> anyhow::Result<Vec<i64>> {
        self.running.stop()?;
        self.group.offsets()
    }
}
