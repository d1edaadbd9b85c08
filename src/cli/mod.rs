//! The command line: a file per command, and the tree they hang in.
//!
//! A command is a struct of `clap::Args` with `execute(&self) -> anyhow::Result<ExitCode>`: it prints its result through
//! `output` and returns what went wrong, to be told once by [`main`]. One that reads the configuration flattens
//! `options::ConfigOptions`.

mod advise;
mod completions;
mod config;
mod consent;
mod dashboard;
mod dev;
mod explain;
mod feed;
mod healthcheck;
mod history;
mod input;
mod interrupt;
mod judging;
mod man;
mod migrate;
mod moment;
mod options;
mod output;
mod panics;
mod replay;
mod run;
mod settings;
mod sign;
mod source;
mod terminal;
mod topics;
mod traffic;
mod version;

use std::process::ExitCode;

use clap::{
    Parser, Subcommand,
    builder::{Styles, styling::AnsiColor},
};

use crate::observe::metrics;

/// Headings and names stand out on a terminal; in a pipe, and where `NO_COLOR` is set, nothing does.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// What stands below the help of the whole.
const AFTER_HELP: &str = "\
Examples:
  attrsync run --brokers kafka:9092          judge events until SIGTERM
  attrsync dev                               try everything in one process, nothing else installed
  attrsync dashboard --brokers kafka:9092    see in a browser what is rejected, for whom and why
  attrsync explain event.json                see an event's verdict and every step on the way there
  attrsync advise --since 7d                 see what to lock, configure, retire and enforce
  attrsync sign --organization acme --hash 1 make a token or a hash, to try things with
  attrsync config defaults > attrsync.toml   begin with a commented configuration
  attrsync topics create --dry-run           see which topics would be made
  attrsync config show --set worker.shards=2 see what is in effect, and why

Exit codes: 0 all went well; 1 a fault, or a check that failed; 2 usage or configuration.
Environment: ATTRSYNC_CONFIG names the file, ATTRSYNC__SECTION__KEY sets a key, NO_COLOR switches
colours off.";

/// Verifies identify and boot events from Kafka and emits every verdict with its reason, exactly once
#[derive(Debug, Parser)]
#[command(name = "attrsync", version, long_version = version::long(), styles = STYLES, after_help = AFTER_HELP)]
#[command(arg_required_else_help = true, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Dev(dev::DevArgs),
    Dashboard(dashboard::DashboardArgs),
    Replay(Box<replay::ReplayArgs>),
    Advise(advise::AdviseArgs),
    Explain(explain::ExplainArgs),
    Sign(sign::SignArgs),
    Settings(settings::SettingsArgs),
    Migrate(migrate::MigrateArgs),
    Topics(topics::TopicsArgs),
    Config(config::ConfigArgs),
    Healthcheck(healthcheck::HealthcheckArgs),
    Traffic(traffic::TrafficArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

impl Command {
    fn execute(&self) -> anyhow::Result<ExitCode> {
        match self {
            Command::Run(args) => args.execute(),
            Command::Dev(args) => args.execute(),
            Command::Dashboard(args) => args.execute(),
            Command::Replay(args) => args.execute(),
            Command::Advise(args) => args.execute(),
            Command::Explain(args) => args.execute(),
            Command::Sign(args) => args.execute(),
            Command::Settings(args) => args.execute(),
            Command::Migrate(args) => args.execute(),
            Command::Topics(args) => args.execute(),
            Command::Config(args) => args.execute(),
            Command::Healthcheck(args) => args.execute(),
            Command::Traffic(args) => args.execute(),
            Command::Completions(args) => args.execute(),
            Command::Man(args) => args.execute(),
        }
    }
}

/// Parses the command line, does what it says, and tells what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    metrics::begin();
    panics::tell_where_alone();
    match Cli::parse().command.execute() {
        Ok(code) => code,
        Err(error) => output::report(&error),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    /// The commands that do something, each by the words that call it.
    fn leaves(command: &clap::Command, words: &str) -> Vec<(String, String)> {
        let below = command.get_subcommands().filter(|below| below.get_name() != "help");
        let mut found: Vec<_> =
            below.flat_map(|below| leaves(below, &format!("{words} {}", below.get_name()))).collect();
        if found.is_empty() || !command.is_subcommand_required_set() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            found.push((words.to_owned(), help));
        }
        found
    }

    /// Every command of the tree, by the words that call it, and what stands below its help.
    fn all(command: &clap::Command, words: &str) -> Vec<(String, String)> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let below = command.get_subcommands().flat_map(|below| all(below, &format!("{words} {}", below.get_name())));
        std::iter::once((words.to_owned(), help)).chain(below).collect()
    }

    #[test]
    fn no_line_below_a_help_is_broken_by_clap_which_would_break_examples_too() {
        for (words, help) in all(&Cli::command(), "attrsync") {
            for line in help.lines() {
                assert!(line.chars().count() <= 100, "{words}: {line}");
            }
        }
    }

    #[test]
    fn every_command_has_an_example_of_itself() {
        let found = leaves(&Cli::command(), "attrsync");
        assert!(found.len() > 30, "{}", found.len());
        for (words, help) in found {
            assert!(help.contains("Example") && help.contains(&words), "{words} has no example:\n{help}");
        }
    }
}
