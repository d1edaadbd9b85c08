//! A token or a hash alone: the event that would carry it. It is judged as every other.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{ArgGroup, Args};
use serde_json::json;

use crate::{
    cli::{
        input::{Input, may_be_credential},
        judging,
        output::Usage,
    },
    domain::{Snapshot, line_end},
};

/// More than any token that is accepted; what comes after it is not read.
const MAX_BYTES: u64 = 1024 * 1024;

/// The options' part of the help; set on each, since a heading for all would go on to the options after them.
const HEADING: &str = "A token or a hash alone";

/// A token or a hash, and what stands beside it.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("identity").multiple(true))]
pub(super) struct CredentialOptions {
    /// Check the token in this file; - for standard input
    #[arg(long, help_heading = HEADING, value_name = "FILE", conflicts_with_all = ["hash", "line"], requires = "organization")]
    token: Option<PathBuf>,

    /// Check the hash in this file; - for standard input
    #[arg(long, help_heading = HEADING, value_name = "FILE", conflicts_with = "line", requires = "organization", requires = "identity")]
    hash: Option<PathBuf>,

    /// The organization that it is for: its slug or its app id
    #[arg(long, help_heading = HEADING, value_name = "NAME")]
    organization: Option<String>,

    /// The user's id in the call beside it
    #[arg(long, help_heading = HEADING, value_name = "ID", group = "identity")]
    user_id: Option<String>,

    /// The user's e-mail in the call beside it
    #[arg(long, help_heading = HEADING, value_name = "EMAIL", group = "identity")]
    email: Option<String>,

    /// The company whose hash it is
    #[arg(long, help_heading = HEADING, value_name = "ID", group = "identity", conflicts_with_all = ["token", "user_id", "email"])]
    company: Option<String>,
}

/// An event made around a credential.
pub(super) struct Made {
    /// What stands for its topic.
    pub(super) name: &'static str,
    /// Its value.
    pub(super) text: Vec<u8>,
    /// Its type, unless another is given.
    pub(super) event_type: &'static str,
}

impl CredentialOptions {
    /// What is explained where it is no record.
    pub(super) fn alone(&self) -> &'static str {
        match (&self.token, &self.hash) {
            (Some(_), _) => "a token alone",
            (None, Some(_)) => "a hash alone",
            (None, None) => "an event alone",
        }
    }

    /// The event that would carry the token or the hash.
    pub(super) fn event(&self, snapshot: &Snapshot) -> anyhow::Result<Made> {
        let organization = judging::organization(snapshot, self.organization.as_deref().unwrap_or_default())?;
        let mut event = json!({ "organization": organization.slug.as_str() });
        for (name, value) in [("userId", &self.user_id), ("email", &self.email)] {
            if let Some(value) = value {
                event[name] = json!(value);
            }
        }
        let (name, file, event_type) = match (&self.token, &self.hash) {
            (Some(file), _) => ("token", file, "identify"),
            (None, Some(file)) if self.company.is_some() => ("hash", file, "boot"),
            (None, Some(file)) => ("hash", file, "identify"),
            (None, None) => bail!("name a token or a hash: --token FILE or --hash FILE"),
        };
        let credential = read(name, file)?;
        match &self.company {
            Some(id) => event["company"] = json!({ "id": id, "companyHash": credential }),
            None if name == "token" => event["featurebaseJwt"] = json!(credential),
            None => event["userHash"] = json!(credential),
        }
        Ok(Made { name, text: event.to_string().into_bytes(), event_type })
    }
}

/// The credential in a file, without the line end that editors add.
fn read(name: &str, file: &Path) -> anyhow::Result<String> {
    if may_be_credential(&file.to_string_lossy()) && !file.exists() {
        let wrong = format!(
            "--{name} takes a file, or - for standard input; a {name} among the arguments stays in the shell's history"
        );
        return Err(Usage::new(wrong).into());
    }
    let mut text = String::new();
    let read = Input::open(file)?.reader.take(MAX_BYTES).read_to_string(&mut text);
    read.with_context(|| format!("{} cannot be read as a {name}", file.display()))?;
    text.truncate(line_end::len_without(text.as_bytes()));
    if text.is_empty() {
        bail!("{} is empty; a {name} is expected", file.display());
    }
    Ok(text)
}
