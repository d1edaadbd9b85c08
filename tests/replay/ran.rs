//! A replay that has ended, and what it told.

use std::process::{Command, Output};

use serde_json::Value;

use crate::kit::process::{Setup, output};

/// What a replay told.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::told(output(command))
    }

    pub(crate) fn told(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// It went well; the verdicts that it printed.
    pub(crate) fn verdicts(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// It went well; the summary that it told with `--json`.
    pub(crate) fn summary(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

/// Runs a replay to its end.
pub(crate) fn replay(setup: &Setup, line: &[&str]) -> Ran {
    Ran::of(setup.command("replay").args(line))
}

/// The partition and offset of each verdict's event, in order.
pub(crate) fn positions(verdicts: &[Value]) -> Vec<(i64, i64)> {
    let number = |verdict: &Value, name| verdict["source"][name].as_i64().unwrap();
    let mut all: Vec<_> =
        verdicts.iter().map(|verdict| (number(verdict, "partition"), number(verdict, "offset"))).collect();
    all.sort_unstable();
    all
}
