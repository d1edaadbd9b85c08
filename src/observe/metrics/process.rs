//! What a process tells of itself: the program, when it began, and what the kernel counts, read from /proc where there is one. The
//! names are those that Prometheus's own client libraries use, so that dashboards made for them fit.

use std::{fs, path::Path, sync::LazyLock};

use super::{Family, list};

/// Ticks a second in /proc: the same on every Linux that attrsync is built for, whatever the kernel's own clock does.
const TICKS: f64 = 100.0;

/// When the process began, in seconds since 1970. /proc tells that too, but not from the files of the process itself alone, and a
/// confined service sees no others.
static BEGUN: LazyLock<f64> = LazyLock::new(|| jiff::Timestamp::now().as_duration().as_secs_f64());

/// Notes when the process began.
pub(crate) fn begin() {
    LazyLock::force(&BEGUN);
}

/// All that is known.
pub(super) fn families() -> Vec<Family> {
    let version = [([env!("CARGO_PKG_VERSION"), env!("ATTRSYNC_COMMIT")].map(str::to_owned), 1_u64)];
    let mut families = vec![Family::each(&list::BUILD, version)];
    families.extend(kernel(Path::new("/proc")).unwrap_or_default());
    families.push(Family::of(&list::STARTED, *BEGUN));
    families
}

/// What the kernel says; `None` where it says nothing that can be read.
fn kernel(proc: &Path) -> Option<Vec<Family>> {
    let own = proc.join("self");
    let stat = fs::read_to_string(own.join("stat")).ok()?;
    // The second field is the program's name, which may hold anything; after its bracket come the third and the others.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let status = fs::read_to_string(own.join("status")).ok()?;
    let kilobytes = |name| number_after(&status, name).map(|number| number * 1024);
    let limits = fs::read_to_string(own.join("limits")).ok()?;
    Some(vec![
        Family::of(&list::CPU, (field(14)? + field(15)?) / TICKS),
        Family::of(&list::RESIDENT, kilobytes("VmRSS:")?),
        Family::of(&list::VIRTUAL, kilobytes("VmSize:")?),
        Family::of(&list::FDS, fs::read_dir(own.join("fd")).ok()?.count() as u64),
        // None where there is no limit.
        Family::each(&list::MAX_FDS, number_after(&limits, "Max open files").map(|most| ([], most))),
        Family::of(&list::THREADS, number_after(&status, "Threads:")?),
    ])
}

/// The number that follows a name at the beginning of a line.
fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::observe::metrics::Value;

    #[test]
    fn a_process_tells_what_the_kernel_counts_of_it() {
        let families = families();
        let value = |name: &str| {
            let family = families.iter().find(|family| family.metric.name == name).unwrap();
            match family.samples[0].value {
                Value::Whole(number) => number as f64,
                Value::Real(number) => number,
                Value::Times(_) => panic!("{name} is no histogram"),
            }
        };
        assert!(value("process_resident_memory_bytes") > 1e6, "more than a megabyte");
        assert!(value("process_open_fds") >= 3.0 && value("process_max_fds") > value("process_open_fds"));
        assert!(value("process_threads") >= 1.0 && value("process_cpu_seconds") >= 0.0);
        let now = jiff::Timestamp::now().as_second() as f64;
        assert!((now - 86_400.0..now + 2.0).contains(&value("process_start_time_seconds")), "begun a moment ago");
    }

    #[test]
    fn a_confined_process_that_sees_its_own_files_alone_tells_the_same() {
        // What systemd's ProcSubset=pid leaves of /proc.
        let proc = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/proc/self", proc.path().join("self")).unwrap();
        let names = |families: Vec<Family>| families.iter().map(|family| family.metric.name).collect::<Vec<_>>();
        let told = [names(kernel(proc.path()).unwrap()), vec![list::STARTED.name]].concat();
        let all: Vec<_> = list::PROCESS.iter().map(|metric| metric.name).collect();
        assert_eq!(told, all[1..], "all but the program itself");
    }
}
