//! A long backlog, second by second: whether rate and memory stay as they are. Its topics are deleted afterwards, whatever happened.

use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    check, cluster, document,
    events::Repeated,
    input::Input,
    machine::Machine,
    peers::mixes::{Maker, Mix},
    plot::{self, Course},
    print, progress,
    watch::Watch,
    worker::{Running, is_tuned},
};

const IMAGE: &str = "benchmarks/backlog.svg";
/// What goes into the document.
const WHOLE: i64 = 10_000_000;
/// Events that are made; the backlog repeats them.
const DIFFERENT: i64 = 100_000;

/// What can be asked of it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Events of 700 bytes.
    #[arg(default_value_t = WHOLE)]
    events: i64,
}

/// What was seen at the end of a second.
#[derive(Clone, Copy, serde::Serialize)]
struct Second {
    /// Since the first commit.
    at_s: f64,
    events_per_s: f64,
    resident_mib: u64,
}

/// Measures it, tells it and keeps it.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let machine = Machine::look();
    let input = Input::prepare(Box::new(Repeated::new(Maker::new(Mix::Hs256), DIFFERENT)), options.events)?;
    let measured = measure(&input);
    let deleted = cluster::delete(&[&input.topic]);
    let seconds = measured?;
    deleted?;
    let text = format!("{}\n{}. {} events.\n", table(&seconds), machine.told(), options.events);
    print(&text);
    if options.events == WHOLE && !is_tuned() {
        keep(&seconds, &machine, options.events)?;
        document::write("backlog", &format!("![events a second and resident memory over time]({IMAGE})\n\n{text}"))?;
        progress("docs/BENCHMARKS.md has it now");
    }
    Ok(())
}

fn measure(input: &Input) -> anyhow::Result<Vec<Second>> {
    let mut watch = Watch::new(Running::attrsync(&input.topic, input.settings.path(), &[])?, &input.topic)?;
    let seconds = course(&mut watch, input.count)?;
    let committed = watch.stop()?;
    progress("reading all verdicts");
    let counts = check::complete(&watch.running.topics, &committed, input)?;
    progress(&format!("every verdict is there once: {counts:?}"));
    Ok(seconds)
}

/// Looks once a second until everything is committed.
fn course(watch: &mut Watch, events: i64) -> anyhow::Result<Vec<Second>> {
    let first = watch.until(1)?;
    let (mut last, mut all) = (first, Vec::new());
    while last.committed < events {
        let next = last.at + Duration::from_secs(1);
        while last.committed < events && Instant::now() < next {
            std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
        }
        let mark = watch.look()?;
        let second = Second {
            at_s: (mark.at - first.at).as_secs_f64(),
            events_per_s: mark.since(last).events_per_s(),
            resident_mib: watch.running.memory(),
        };
        // What it ends with is only part of a second's work.
        if mark.committed < events {
            progress(&format!(
                "{:.0} s: {} events, {:.0} events/s, {} MiB",
                second.at_s, mark.committed, second.events_per_s, second.resident_mib
            ));
            all.push(second);
        }
        last = mark;
    }
    anyhow::ensure!(all.len() >= 3, "it took {} s alone: more events tell something", all.len());
    Ok(all)
}

/// The first third beside the last.
fn table(seconds: &[Second]) -> String {
    let third = seconds.len() / 3;
    let (first, last) = (&seconds[..third], &seconds[seconds.len() - third..]);
    let mut text =
        "| | first third, mean | last third, mean | least second | most |\n|---|---|---|---|---|\n".to_owned();
    let mut row = |name: &str, value: &dyn Fn(&Second) -> f64| {
        let mean = |part: &[Second]| part.iter().map(value).sum::<f64>() / part.len() as f64;
        let least = seconds.iter().map(value).fold(f64::INFINITY, f64::min);
        let most = seconds.iter().map(value).fold(0.0, f64::max);
        // Writing into a String cannot fail.
        let _ = writeln!(text, "| {name} | {:.0} | {:.0} | {least:.0} | {most:.0} |", mean(first), mean(last));
    };
    row("events/s", &|second| second.events_per_s);
    row("resident memory, MiB", &|second| second.resident_mib as f64);
    text
}

fn keep(seconds: &[Second], machine: &Machine, events: i64) -> anyhow::Result<()> {
    let course = |axis, value: fn(&Second) -> f64| Course {
        axis,
        points: seconds.iter().map(|second| (second.at_s, value(second))).collect(),
    };
    let courses = [
        course("events/s", |second| second.events_per_s),
        course("resident memory, MiB", |second| second.resident_mib as f64),
    ];
    plot::courses(&document::path(IMAGE), &courses)?;
    let all = json!({ "machine": machine.told(), "events": events, "seconds": seconds });
    fs::write(document::path("benchmarks/backlog.json"), format!("{}\n", serde_json::to_string_pretty(&all)?))?;
    Ok(())
}
