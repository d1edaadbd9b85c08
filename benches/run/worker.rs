//! A worker process on topics and a group of its own: attrsync as users run it, or whatever does the same work.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::{cluster, process, progress};

/// How long a worker may take to end.
const STOPPING: Duration = Duration::from_secs(30);

/// What a run has for itself. Its topics are deleted when it is dropped, however the run ended.
pub(crate) struct Topics {
    pub(crate) group: String,
    pub(crate) accepted: String,
    pub(crate) rejected: String,
}

impl Topics {
    /// Makes them.
    pub(crate) fn fresh() -> anyhow::Result<Self> {
        let [group, accepted, rejected] = ["group", "accepted", "rejected"].map(cluster::fresh);
        let topics = Self { group, accepted, rejected };
        cluster::create(&topics.accepted)?;
        cluster::create(&topics.rejected)?;
        Ok(topics)
    }

    /// What each record names as its source.
    pub(crate) fn source(&self) -> String {
        format!("/attrsync/{}", self.group)
    }
}

impl Drop for Topics {
    fn drop(&mut self) {
        // What was measured stands without that.
        if let Err(error) = cluster::delete(&[&self.accepted, &self.rejected]) {
            progress(&format!("{error:#}"));
        }
    }
}

/// What else is to be tried, as `ATTRSYNC_BENCH_SET="worker.shards=1 kafka.producer.properties.linger.ms=5"`.
fn tried() -> String {
    std::env::var("ATTRSYNC_BENCH_SET").unwrap_or_default()
}

/// Whether attrsync is told anything that isn't its default: figures of that are nobody else's.
pub(crate) fn is_tuned() -> bool {
    !tried().is_empty()
}

/// A worker that runs. It is killed when this is dropped, and then its topics are deleted.
pub(crate) struct Running {
    child: Child,
    pub(crate) begun: Instant,
    log: PathBuf,
    pub(crate) topics: Topics,
}

impl Running {
    /// Starts what reads and writes these topics; its output goes into a log of its name.
    pub(crate) fn spawn(name: &str, mut command: Command, topics: Topics) -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/logs");
        fs::create_dir_all(&folder)?;
        let log = folder.join(name);
        command.stdin(Stdio::null()).stdout(File::create(&log)?).stderr(File::options().append(true).open(&log)?);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        Ok(Self { child, begun, log, topics })
    }

    /// `attrsync run`, release build, with its defaults and what is set here.
    pub(crate) fn attrsync(input: &str, settings: &Path, set: &[String]) -> anyhow::Result<Self> {
        let topics = Topics::fresh()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_attrsync"));
        command.args(["run", "--log", "warn", "--brokers", &cluster::brokers()]).arg("--settings").arg(settings);
        let own = [
            format!("kafka.group_id={}", topics.group),
            // Nothing that another run left behind, or still runs, is fenced.
            format!("kafka.transactional_id_prefix={}", topics.group),
            format!("kafka.input.topics=[\"{input}\"]"),
            format!("kafka.accepted_topic={}", topics.accepted),
            format!("kafka.rejected_topic={}", topics.rejected),
            "admin.address=127.0.0.1:0".to_owned(),
        ];
        let tried = tried();
        let all = own.iter().chain(set).map(String::as_str).chain(tried.split_whitespace());
        for key in all {
            command.args(["--set", key]);
        }
        Self::spawn("attrsync", command, topics)
    }

    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Duration {
        process::cpu(self.child.id())
    }

    /// The memory it has, in MiB.
    pub(crate) fn memory(&self) -> u64 {
        process::memory(self.child.id())
    }

    /// The most memory it has had, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        process::peak_memory(self.child.id())
    }

    /// Fails if it has ended by itself.
    pub(crate) fn still_runs(&mut self) -> anyhow::Result<()> {
        match self.ended()? {
            Some(status) => anyhow::bail!("it ended by itself, {status}; {}", self.log()),
            None => Ok(()),
        }
    }

    fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// The last lines of its log, and where that is.
    pub(crate) fn log(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(5).collect();
        format!("{}: {}", self.log.display(), lines.into_iter().rev().collect::<Vec<_>>().join(" | "))
    }

    /// Asks it to end and waits for that; one that doesn't is killed, and that is a failure.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        if self.ended()?.is_none() {
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        }
        let asked = Instant::now();
        while self.ended()?.is_none() {
            anyhow::ensure!(asked.elapsed() < STOPPING, "it did not end within {} s of SIGTERM", STOPPING.as_secs());
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
