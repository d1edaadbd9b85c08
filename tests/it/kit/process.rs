//! `attrsync run` as a process of its own, which can be killed; and any other process, which is waited for so long and no longer.

use std::{
    cell::RefCell,
    fs::File,
    io::{Read, Seek, SeekFrom},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use attrsync::store::EXAMPLE;
use tempfile::TempDir;

use super::{SOON, eventually, print, topics::Topics};
use crate::binary::program;

/// How long a batch stays open under [`PATIENT`], unless something ends it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Keys with which a batch stays open for long, its records sent all the same: by default they wait for half of
/// `worker.message_timeout_ms`, and whoever sees them would have little time left.
pub(crate) const PATIENT: [&str; 7] = [
    "worker.shards=1",
    "worker.commit_interval_ms=10000",
    "kafka.producer.properties.linger.ms=5",
    "worker.message_timeout_ms=11000",
    "worker.transaction_timeout_ms=20000",
    "worker.session_timeout_ms=30000",
    "worker.shutdown_timeout_ms=20000",
];

/// The timeouts as they are by default, for what must not be hurried by a busy machine.
pub(crate) const UNHURRIED: [&str; 3] =
    ["worker.session_timeout_ms=30000", "worker.transaction_timeout_ms=15000", "worker.message_timeout_ms=10000"];

/// Makes the shards static members, which they are not by default: one that is back under its name goes on at once, even after a
/// SIGKILL, where others have to wait until its session is over.
pub(crate) const STATIC: &str = "kafka.static_membership=true";

/// What all workers of a test are told.
pub(crate) struct Setup {
    folder: TempDir,
    set: Vec<String>,
}

impl Setup {
    /// The sample settings, short timeouts, and these further keys.
    pub(crate) fn new(topics: &Topics, further: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("settings.toml");
        std::fs::write(&settings, EXAMPLE).unwrap();
        let set = [
            format!("kafka.bootstrap_servers={}", topics.brokers),
            format!("kafka.group_id={}", topics.group),
            format!("kafka.input.topics=[\"{}\"]", topics.input),
            format!("kafka.accepted_topic={}", topics.accepted),
            format!("kafka.rejected_topic={}", topics.rejected),
            format!("kafka.transactional_id_prefix={}", topics.group),
            format!("settings.source=file:{}", settings.display()),
            "worker.shards=2".to_owned(),
            // The least that a broker allows for the session; the others below it.
            "worker.session_timeout_ms=6000".to_owned(),
            "worker.transaction_timeout_ms=5000".to_owned(),
            "worker.message_timeout_ms=4000".to_owned(),
            // On a busy machine one thing after the other may take as long as it may.
            "worker.shutdown_timeout_ms=60000".to_owned(),
            "admin.address=127.0.0.1:0".to_owned(),
            "log.format=text".to_owned(),
        ];
        let set = set.into_iter().chain(further.iter().map(|key| (*key).to_owned())).collect();
        Self { folder, set }
    }

    /// Starts a worker under this name.
    pub(crate) fn start(&self, instance: &str) -> Process {
        let log = self.folder.path().join(format!("{instance}.log"));
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let begins = file.metadata().unwrap().len();
        let mut command = self.command("run");
        command.args(["--set", &format!("kafka.instance={instance}")]);
        command.stdout(Stdio::null()).stderr(file);
        Process { child: command.spawn().unwrap().into(), log, begins }
    }

    /// A command that is told the same.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = program();
        command.args(line.split(' ')).args(self.set.iter().flat_map(|key| ["--set", key]));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }
}

/// A worker process; killed when it is dropped.
pub(crate) struct Process {
    /// Whoever only looks at it may ask whether it has ended.
    child: RefCell<Child>,
    log: std::path::PathBuf,
    /// Where its lines begin: earlier workers of its name wrote into the same file.
    begins: u64,
}

impl Process {
    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let child = self.child.get_mut();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Sends a signal: `TERM`, which it may take its time for; `STOP`, which holds it still; `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.borrow().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has logged this. One that has ended without it won't any more.
    pub(crate) fn logs(&self, text: &str) {
        eventually(&format!("the worker logs {text:?}"), SOON, || {
            // Asked first: what it has logged by its end is all.
            let runs = self.runs();
            let log = self.log();
            let found = log.contains(text);
            assert!(found || runs, "the worker has ended and never logged {text:?}:\n{log}");
            found
        });
    }

    /// Waits until any of these partitions is its own.
    pub(crate) fn reads(&self, topics: &Topics) {
        self.logs(&format!("partitions={}[", topics.input));
    }

    /// Waits until it has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.ended_within(SOON)
    }

    /// The same, of one that has much to wait for itself.
    pub(crate) fn ended_within(&mut self, deadline: Duration) -> ExitStatus {
        ended(self.child.get_mut(), deadline)
    }

    /// Ends it in good order.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let status = self.ended();
        assert!(status.success(), "{status}\n{}", self.log());
    }

    /// Whether it still runs.
    pub(crate) fn runs(&self) -> bool {
        self.child.borrow_mut().try_wait().unwrap().is_none()
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        let mut file = File::open(&self.log).unwrap();
        file.seek(SeekFrom::Start(self.begins)).unwrap();
        let mut log = String::new();
        file.read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let child = self.child.get_mut();
        let _ = child.kill();
        let _ = child.wait();
        if thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let last: Vec<_> = log.lines().rev().take(60).collect();
            print(&last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// Waits until a process has ended. One that doesn't is killed, so that nothing of a test that fails is left behind.
pub(crate) fn ended(child: &mut Child, deadline: Duration) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begun.elapsed() > deadline {
            child.kill().unwrap();
            panic!("not within {deadline:?}: the process ends");
        }
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// Runs a command to its end; what it left behind.
pub(crate) fn output(command: &mut Command) -> Output {
    output_of(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// What a process left behind once it has ended. Its pipes are read meanwhile: it would wait for room in a full one.
pub(crate) fn output_of(mut child: Child) -> Output {
    let (stdout, stderr) = (drained(child.stdout.take()), drained(child.stderr.take()));
    let status = ended(&mut child, 3 * SOON);
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn drained(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut all).unwrap();
        }
        all
    })
}
