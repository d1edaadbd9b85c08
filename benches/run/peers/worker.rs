//! The workers that are measured side by side: attrsync, and the folders of `bench/peers`, each with a `run` that becomes the
//! peer. What a worker is told is the same for all: bench/peers/README.md.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    cluster,
    input::Input,
    peers::mixes::SETTINGS,
    worker::{Running, Topics},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

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

/// Whether no peer was left out.
pub(crate) fn all_are_built() -> bool {
    let folders = fs::read_dir(Path::new(ROOT).join("bench/peers")).into_iter().flatten().flatten();
    let mut peers =
        folders.filter(|folder| folder.path().is_dir()).filter_map(|folder| folder.file_name().into_string().ok());
    peers.all(|peer| target(&peer).join("versions").exists())
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

    /// Whether it takes several times as long as the others.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self.name.as_str(), "node" | "python")
    }

    /// Starts it on topics and a group of its own. What it keeps in files goes into the folder.
    pub(crate) fn start(&self, input: &Input, folder: &Path) -> anyhow::Result<Running> {
        if self.name == "attrsync" {
            let commit = format!("worker.commit_interval_ms={}", self.commit_ms);
            return Running::attrsync(&input.topic, input.settings.path(), &[commit]);
        }
        let topics = Topics::fresh()?;
        Running::spawn(&self.name, self.peer(input, &topics, folder)?, topics)
    }

    fn peer(&self, input: &Input, topics: &Topics, folder: &Path) -> anyhow::Result<Command> {
        let settings = folder.join("settings.json");
        let document: Value = toml::from_str(SETTINGS)?;
        fs::write(&settings, document.to_string())?;
        let mut command = Command::new(Path::new(ROOT).join("bench/peers").join(&self.name).join("run"));
        command.env("PEER_BROKERS", cluster::brokers()).env("PEER_GROUP", &topics.group);
        command.env("PEER_INPUT", &input.topic).env("PEER_ACCEPTED", &topics.accepted);
        command.env("PEER_REJECTED", &topics.rejected).env("PEER_SOURCE", topics.source());
        command.env("PEER_SETTINGS", settings);
        command.env("PEER_COMMIT_MS", self.commit_ms.to_string()).env("PEER_STATE", folder.join("state"));
        Ok(command)
    }
}
