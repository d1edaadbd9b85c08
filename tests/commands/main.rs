//! Commands that need no Kafka of their own, run as somebody runs them: the real binary, real files and pipes.

#[path = "../common/binary.rs"]
mod binary;
#[path = "../common/contract.rs"]
mod contract;

mod advise;
mod compare;
mod dev;
mod explain;
mod inputs;
mod packaging;
mod replay;
mod settings;
mod sign;
mod traffic;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

use attrsync::{
    domain::EventTime,
    emit::Channel,
    traffic::{Event, Traffic},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-11-22T10:00:00Z
const NOW: i64 = 1_795_341_600_000;

/// A folder to run commands in.
struct Desk(TempDir);

/// What a command left behind.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    /// An empty folder.
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A command by its arguments, in this folder, with the sample settings.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        command.arg("--settings").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("settings.example.toml"));
        command
    }

    /// A command by its arguments alone.
    fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = binary::program();
        command.current_dir(self.0.path()).args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs a command with this on its standard input.
    fn feed(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        thread::scope(|scope| {
            // A command that ends before it has read everything is for the test to judge.
            scope.spawn(move || _ = stdin.write_all(input));
            child.wait_with_output().unwrap().into()
        })
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Each line as a verdict, which keeps the contract.
fn lines(text: &str) -> Vec<Value> {
    let verdicts: Vec<_> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    verdicts.iter().for_each(|verdict| contract::holds(Channel::Accepted, verdict));
    verdicts
}

/// Made-up events that a line can hold: those in UTF-8.
fn events(number: usize) -> Vec<Event> {
    let (mut traffic, now) = (Traffic::new(11), EventTime::from_millis(NOW));
    let events = std::iter::repeat_with(|| traffic.next(now));
    events.filter(|event| str::from_utf8(&event.value).is_ok()).take(number).collect()
}

/// An event as `kcat -J` prints it.
fn kcat_line(event: &Event, offset: usize) -> String {
    let headers: Vec<_> = event.event_type.iter().flat_map(|name| ["ce_type", name]).collect();
    let record = json!({
        "topic": "events", "partition": 3, "offset": offset, "tstype": "create", "ts": NOW, "broker": 1,
        "headers": headers, "key": event.key, "payload": str::from_utf8(&event.value).unwrap(),
    });
    format!("{record}\n")
}
