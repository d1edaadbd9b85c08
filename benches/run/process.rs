//! What a process costs, from the kernel's own accounting: the process itself and those that it started.

use std::{fs, time::Duration};

/// User and system time so far.
pub(crate) fn cpu(pid: u32) -> Duration {
    const TICKS_PER_SECOND: u64 = 100;
    let ticks = |pid| {
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0 };
        // The name, in parentheses, may hold blanks; utime, stime, and both of children that have ended are the 14th to 17th field.
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        fields.skip(11).take(4).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    };
    Duration::from_millis(family(pid).into_iter().map(ticks).sum::<u64>() * 1000 / TICKS_PER_SECOND)
}

/// The memory it has, in MiB.
pub(crate) fn memory(pid: u32) -> u64 {
    mebibytes(pid, "VmRSS:")
}

/// The most memory it has had, in MiB.
pub(crate) fn peak_memory(pid: u32) -> u64 {
    mebibytes(pid, "VmHWM:")
}

fn mebibytes(pid: u32, field: &str) -> u64 {
    let kibibytes = |pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with(field));
        line.map_or(0, |line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap())
    };
    family(pid).into_iter().map(kibibytes).sum::<u64>() / 1024
}

/// The process and its descendants.
fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut at = 0;
    while let Some(pid) = all.get(at) {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let children = threads.map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
        let children: Vec<u32> = children
            .flat_map(|pids| pids.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
            .collect();
        all.extend(children);
        at += 1;
    }
    all
}
