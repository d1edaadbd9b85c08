//! One piece of advice: what was seen, whether it can be acted upon now, and the command that does it.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::{shell, verdict::MEMBERSHIP};

/// What is advised, by the rule of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// An attribute is to be locked.
    Lock,
    /// One is to be signed, or unlocked.
    Unlock,
    /// A name is to be configured, or sent no more.
    Configure,
    /// A key is to be retired.
    Retire,
    /// Proofs are to be enforced.
    Enforce,
    /// Tokens are to take the place of hashes.
    Migrate,
    /// Tokens are to have an expiry.
    Expire,
}

impl Advice {
    /// The name, as JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Configure => "configure",
            Self::Retire => "retire",
            Self::Enforce => "enforce",
            Self::Migrate => "migrate",
            Self::Expire => "expire",
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether it can be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// Nothing that was seen would be refused for it.
    Now,
    /// Something has to be looked at first: it would be refused, or somebody still uses it.
    First,
}

/// A piece of advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Which rule gives it: `lock`, `unlock`, `configure`, `retire`, `enforce`, `migrate` or `expire`.
    #[schemars(with = "String")]
    pub advice: Advice,
    /// What it is about: an attribute, a key; the organization where it is about all of it.
    pub about: String,
    /// What that is: `user` or `company` whose attribute it is, `key`, or `organization`.
    pub of: &'static str,
    /// Whether it can be done now.
    pub ready: Ready,
    /// What was seen, and what follows.
    pub says: String,
    /// The numbers in it, by name.
    pub figures: BTreeMap<&'static str, u64>,
    /// What to run before.
    pub check: Option<String>,
    /// What carries it out; null where a name can't stand in a shell's line, or no command can do it.
    pub command: Option<String>,
}

impl Item {
    /// The same for settings in a file, which no command changes: what to write there stands in its place, where it is known.
    #[must_use]
    pub fn edited(&self) -> Option<String> {
        // What no command may say, no line of a file may either.
        self.command.as_ref()?;
        let of = if self.of == "company" { "company_attributes" } else { "attributes" };
        let attribute = |says: &str| format!("[organizations.{of}] {} = {{ {says} }}", key(&self.about));
        let lock = |locked: bool| match self.about.as_str() {
            MEMBERSHIP if self.of == "user" => format!("[organizations.membership] locked = {locked}"),
            _ => attribute(&format!("…, locked = {locked}")),
        };
        Some(match self.advice {
            Advice::Lock => lock(true),
            Advice::Unlock => lock(false),
            Advice::Configure => attribute("type = \"…\""),
            Advice::Retire | Advice::Migrate => format!("retired_at of {}", key(&self.about)),
            Advice::Enforce => "enforcement = \"enforced\"".to_owned(),
            Advice::Expire => "[organizations.token] require_expiry = true".to_owned(),
        })
    }
}

/// A name as TOML has it.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || "-_".contains(char));
    if bare { name.to_owned() } else { serde_json::Value::from(name).to_string() }
}

/// A command: how it begins, the names that it is about, each made fit for a shell, and its flags; `None` where a name can't be.
pub(super) fn command(begin: &str, names: &[&str], flags: &str) -> Option<String> {
    let words: Option<Vec<Cow<'_, str>>> = names.iter().map(|name| shell::word(name)).collect();
    Some(words?.iter().fold(begin.to_owned(), |command, word| command + " " + word) + flags)
}

/// The command for what no single edit changes: the file is edited and applied.
pub(super) fn apply(reason: &str) -> String {
    format!("attrsync settings apply settings.toml --reason '{reason}'")
}
