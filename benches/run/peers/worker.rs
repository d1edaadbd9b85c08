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

/// How a worker runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Fast,
    /// It takes several times as long as the others.
    Slow,
    /// Its code is compiled while it runs, so that it is measured once more when it is warm.
    Warms,
}

/// attrsync, and the peers that have been built.
pub(crate) fn built(commit_ms: u32) -> impl Iterator<Item = Worker> {
    let versions = format!("attrsync {} ({})", env!("CARGO_PKG_VERSION"), env!("ATTRSYNC_COMMIT"));
    let attrsync = Worker { name: "attrsync".to_owned(), versions, commit_ms };
    let built = peers().into_iter().filter_map(move |name| {
        let versions = versions_of(&name)?;
        Some(Worker { name, versions, commit_ms })
    });
    std::iter::once(attrsync).chain(built)
}

/// Whether no peer was left out.
pub(crate) fn all_are_built() -> bool {
    peers().iter().all(|name| versions_of(name).is_some())
}

/// The folders of `bench/peers`, by name.
fn peers() -> Vec<String> {
    let all = fs::read_dir(Path::new(ROOT).join("bench/peers")).into_iter().flatten().flatten();
    let folders = all.filter(|entry| entry.path().is_dir());
    let mut names: Vec<_> = folders.filter_map(|folder| folder.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// What a peer is made with, which its build wrote down.
fn versions_of(peer: &str) -> Option<String> {
    let file: PathBuf = [ROOT, "target/peers", peer, "versions"].iter().collect();
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}

impl Worker {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How it is measured.
    pub(crate) fn pace(&self) -> Pace {
        match &self.name[..] {
            "java" => Pace::Warms,
            "node" | "python" => Pace::Slow,
            _ => Pace::Fast,
        }
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
