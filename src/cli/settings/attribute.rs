//! `attrsync settings attribute add|lock|unlock|archive|list`.

use std::{collections::BTreeMap, process::ExitCode};

use clap::{Args, Subcommand, ValueEnum};

use super::{change::ChangeOptions, list::ListOptions, render::shown};
use crate::{
    cli::{
        consent::Consent,
        output::{print, print_json},
        terminal::safe,
    },
    store::document::{Attribute, AttributeKind, Organization},
};

/// What a lock does, and where to look first.
fn lock_advice(organization: &str) -> String {
    format!(
        "a locked attribute is rejected wherever it comes without a signature. How often it still does, and of how many users: \
         attrsync advise --since 7d --organization {organization}. What exactly the lock changes, with the lock in a file of \
         settings: attrsync replay --since 7d --compare now next.toml --organization {organization}"
    )
}

/// Add, lock, unlock, archive or list attributes
#[derive(Debug, Args)]
pub(super) struct AttributeArgs {
    #[command(subcommand)]
    command: AttributeCommand,
}

/// Which attribute.
#[derive(Debug, Args)]
struct Which {
    /// The organization's slug
    organization: String,
    /// The attribute's name
    name: String,
    /// One of companies, not of users
    #[arg(long)]
    company: bool,
}

#[derive(Debug, Subcommand)]
enum AttributeCommand {
    /// Add an attribute; until then its values are dropped
    #[command(
        after_help = "Example:\n  attrsync settings attribute add acme plan --type text --options Free,Premium --locked \\\n    --reason 'for billing'"
    )]
    Add {
        #[command(flatten)]
        which: Which,
        /// The type of its values
        #[arg(long = "type", value_name = "TYPE")]
        kind: Kind,
        /// Only these texts, separated by commas
        #[arg(long, value_name = "TEXT,…", value_delimiter = ',')]
        options: Vec<String>,
        /// The most characters of a text
        #[arg(long, value_name = "N")]
        max_chars: Option<usize>,
        /// Accept signed values alone
        #[arg(long)]
        locked: bool,
        #[command(flatten)]
        change: ChangeOptions,
    },
    /// Accept signed values alone
    #[command(after_help = "Example:\n  attrsync settings attribute lock acme plan --reason 'grants access'")]
    Lock {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        change: ChangeOptions,
    },
    /// Accept unsigned values too: anybody can then set it
    #[command(after_help = "Example:\n  attrsync settings attribute unlock acme title --reason 'anybody may set it'")]
    Unlock {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        change: ChangeOptions,
    },
    /// Take an attribute out of use: its values are dropped from then on
    #[command(after_help = "Example:\n  attrsync settings attribute archive acme plan --reason 'no longer used'")]
    Archive {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        change: ChangeOptions,
    },
    /// List an organization's attributes, without the standard ones that it leaves as they are
    #[command(after_help = "Example:\n  attrsync settings attribute list acme --json")]
    List(ListOptions),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    Text,
    Number,
    Boolean,
    Date,
    TextList,
}

impl Kind {
    fn of_document(self) -> AttributeKind {
        match self {
            Self::Text => AttributeKind::Text,
            Self::Number => AttributeKind::Number,
            Self::Boolean => AttributeKind::Boolean,
            Self::Date => AttributeKind::Date,
            Self::TextList => AttributeKind::TextList,
        }
    }
}

impl Which {
    fn table<'o>(&self, organization: &'o mut Organization) -> &'o mut BTreeMap<String, Attribute> {
        if self.company { &mut organization.company_attributes } else { &mut organization.attributes }
    }

    /// The attribute, or one that says nothing yet, for a standard one that isn't listed; whether it is one is checked later.
    fn entry<'o>(&self, organization: &'o mut Organization) -> &'o mut Attribute {
        self.table(organization).entry(self.name.clone()).or_default()
    }
}

impl AttributeArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            AttributeCommand::Add { which, kind, options, max_chars, locked, change } => {
                let attribute = Attribute {
                    kind: Some(kind.of_document()),
                    max_chars: *max_chars,
                    options: (!options.is_empty()).then(|| options.clone()),
                    locked: Some(*locked),
                    archived: false,
                };
                change.edit(&which.organization, |organization| {
                    if which.table(organization).contains_key(&which.name) {
                        return Err(format!("{} has an attribute `{}` already", which.organization, which.name));
                    }
                    which.table(organization).insert(which.name.clone(), attribute);
                    Ok(())
                })
            }
            AttributeCommand::Lock { which, consent, change } => {
                let what = format!("lock {} of {}; unsigned values will be rejected", which.name, which.organization);
                change.ask_after(consent, &lock_advice(&safe(&which.organization)), &what)?;
                set(which, change, |attribute| attribute.locked = Some(true))
            }
            AttributeCommand::Unlock { which, consent, change } => {
                let what = format!("unlock {} of {}; anybody can then set it", which.name, which.organization);
                change.ask(consent, &what)?;
                set(which, change, |attribute| attribute.locked = Some(false))
            }
            AttributeCommand::Archive { which, consent, change } => {
                let what = format!("archive {} of {}; its values will be dropped", which.name, which.organization);
                change.ask(consent, &what)?;
                set(which, change, |attribute| attribute.archived = true)
            }
            AttributeCommand::List(options) => list(options),
        }
    }
}

fn set(which: &Which, change: &ChangeOptions, set: impl FnOnce(&mut Attribute)) -> anyhow::Result<ExitCode> {
    change.edit(&which.organization, |organization| {
        set(which.entry(organization));
        Ok(())
    })
}

fn list(options: &ListOptions) -> anyhow::Result<ExitCode> {
    let organization = options.read()?;
    let all = serde_json::json!({"users": organization.attributes, "companies": organization.company_attributes});
    if options.json {
        print_json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for (of, table) in [("user", &all["users"]), ("company", &all["companies"])] {
        for (name, attribute) in table.as_object().into_iter().flatten() {
            text += &format!("{of}\t{}\t{}\n", safe(name), shown(attribute));
        }
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
