//! A worker process, and what it costs.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command},
    time::Duration,
};

use crate::{cluster, process};

/// `attrsync run` as users run it: release build, defaults.
pub(crate) struct Worker {
    child: Child,
    _folder: tempfile::TempDir,
    pub(crate) group: String,
    pub(crate) accepted: String,
}

impl Worker {
    pub(crate) fn start(input: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings: PathBuf = folder.path().join("settings.toml");
        fs::write(&settings, attrsync::store::EXAMPLE).unwrap();
        let (group, accepted, rejected) =
            (cluster::fresh("group"), cluster::fresh("accepted"), cluster::fresh("rejected"));
        cluster::create(&accepted);
        cluster::create(&rejected);
        let mut command = Command::new(env!("CARGO_BIN_EXE_attrsync"));
        command.args(["run", "--brokers", &std::env::var("ATTRSYNC_TEST_KAFKA").unwrap()]);
        command.args(["--settings", settings.to_str().unwrap(), "--log", "warn"]);
        for key in [
            format!("kafka.group_id={group}"),
            format!("kafka.input.topics=[\"{input}\"]"),
            format!("kafka.accepted_topic={accepted}"),
            format!("kafka.rejected_topic={rejected}"),
            "admin.address=127.0.0.1:0".to_owned(),
        ] {
            command.args(["--set", &key]);
        }
        // What else is to be tried, as ATTRSYNC_BENCH_SET="worker.shards=1 kafka.producer.properties.linger.ms=5".
        for key in std::env::var("ATTRSYNC_BENCH_SET").unwrap_or_default().split_whitespace() {
            command.args(["--set", key]);
        }
        Self { child: command.spawn().unwrap(), _folder: folder, group, accepted }
    }

    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Duration {
        process::cpu(self.child.id())
    }

    /// The most memory it has had, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        process::peak_memory(self.child.id())
    }

    /// Ends it in good order.
    pub(crate) fn stop(mut self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success() && self.child.wait().unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has ended as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
