//! The workers that are measured: attrsync as users run it, and the folders of `bench/peers`, each with a `run` that becomes the
//! peer. What a worker is told is the same for all: bench/peers/README.md.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::Value;

use crate::{cluster, input::Input, mixes::SETTINGS, process};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// How long a worker may take to end.
const STOPPING: Duration = Duration::from_secs(30);

/// A worker that can be measured.
#[derive(Clone)]
pub(crate) struct Worker {
    name: String,
    /// What it is made with.
    pub(crate) versions: String,
    commit_ms: u32,
}

/// attrsync, and the peers that have been built.
pub(crate) fn built(commit_ms: u32) -> impl Iterator<Item = Worker> {
    let versions = format!("attrsync {}", env!("CARGO_PKG_VERSION"));
    let attrsync = Worker { name: "attrsync".to_owned(), versions, commit_ms };
    let folders = fs::read_dir(Path::new(ROOT).join("bench/peers")).into_iter().flatten().flatten();
    let mut peers: Vec<_> = folders
        .filter_map(|folder| {
            let name = folder.file_name().into_string().ok()?;
            let versions = fs::read_to_string(target(&name).join("versions")).ok()?.trim().to_owned();
            Some(Worker { name, versions, commit_ms })
        })
        .collect();
    peers.sort_by(|one, other| one.name.cmp(&other.name));
    std::iter::once(attrsync).chain(peers)
}

fn target(peer: &str) -> PathBuf {
    Path::new(ROOT).join("target/peers").join(peer)
}

impl Worker {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether its code is compiled while it runs, so that it is measured once more when it is warm.
    pub(crate) fn warms(&self) -> bool {
        self.name == "java"
    }

    /// Starts it on topics and a group of its own.
    pub(crate) fn start(&self, input: &Input) -> anyhow::Result<Running> {
        let folder = tempfile::tempdir()?;
        let [group, accepted, rejected] = ["group", "accepted", "rejected"].map(cluster::fresh);
        cluster::create(&accepted);
        cluster::create(&rejected);
        let log = target("logs").join(&self.name);
        fs::create_dir_all(target("logs"))?;
        let topics = Topics { group, accepted, rejected };
        let mut command = if self.name == "attrsync" {
            self.attrsync(input, &topics, folder.path())?
        } else {
            self.peer(input, &topics, folder.path())?
        };
        command.stdin(Stdio::null()).stdout(File::create(&log)?).stderr(File::options().append(true).open(&log)?);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("starting {}", self.name))?;
        Ok(Running { child, begun, log, topics, _folder: folder })
    }

    fn attrsync(&self, input: &Input, topics: &Topics, folder: &Path) -> anyhow::Result<Command> {
        let settings = folder.join("settings.toml");
        fs::write(&settings, SETTINGS)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_attrsync"));
        command.args(["run", "--log", "warn", "--brokers", &brokers()]).arg("--settings").arg(settings);
        for key in [
            format!("kafka.group_id={}", topics.group),
            format!("kafka.input.topics=[\"{}\"]", input.topic),
            format!("kafka.accepted_topic={}", topics.accepted),
            format!("kafka.rejected_topic={}", topics.rejected),
            format!("worker.commit_interval_ms={}", self.commit_ms),
            "admin.address=127.0.0.1:0".to_owned(),
        ] {
            command.args(["--set", &key]);
        }
        Ok(command)
    }

    fn peer(&self, input: &Input, topics: &Topics, folder: &Path) -> anyhow::Result<Command> {
        let settings = folder.join("settings.json");
        let document: Value = toml::from_str(SETTINGS)?;
        fs::write(&settings, document.to_string())?;
        let mut command = Command::new(Path::new(ROOT).join("bench/peers").join(&self.name).join("run"));
        command.env("PEER_BROKERS", brokers()).env("PEER_GROUP", &topics.group);
        command.env("PEER_INPUT", &input.topic).env("PEER_ACCEPTED", &topics.accepted);
        command.env("PEER_REJECTED", &topics.rejected).env("PEER_SETTINGS", settings);
        command.env("PEER_COMMIT_MS", self.commit_ms.to_string()).env("PEER_STATE", folder.join("state"));
        Ok(command)
    }
}

fn brokers() -> String {
    std::env::var("ATTRSYNC_TEST_KAFKA").expect("ATTRSYNC_TEST_KAFKA names a Kafka: scripts/bench sets it")
}

/// What a run has for itself.
pub(crate) struct Topics {
    pub(crate) group: String,
    pub(crate) accepted: String,
    pub(crate) rejected: String,
}

/// A worker that runs. It is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) begun: Instant,
    pub(crate) log: PathBuf,
    pub(crate) topics: Topics,
    _folder: tempfile::TempDir,
}

impl Running {
    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Duration {
        process::cpu(self.child.id())
    }

    /// The most memory it has had, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        process::peak_memory(self.child.id())
    }

    /// Whether it has ended by itself, and how.
    pub(crate) fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Asks it to end and waits for that; one that doesn't is killed, and that is a failure.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
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
