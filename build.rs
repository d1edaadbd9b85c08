//! Tells the binary which commit it is built from, for `attrsync --version`.
//!
//! `ATTRSYNC_COMMIT` says it where there is no repository (a container, a tarball); else git does; else it is `unknown`. Git appends
//! to the log of HEAD with each commit, checkout and rebase, so that this one file tells when to ask again.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ATTRSYNC_COMMIT");
    let commit = given().or_else(commit_of_head).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=ATTRSYNC_COMMIT={commit}");
}

fn given() -> Option<String> {
    env::var("ATTRSYNC_COMMIT").ok().filter(|commit| !commit.is_empty())
}

/// The commit of this folder's own repository; one further up has commits of something else.
fn commit_of_head() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    // A file that isn't there would make cargo ask again with every build.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists()) {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
