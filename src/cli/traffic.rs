//! `attrsync traffic`: what `attrsync dev` sends, to a real cluster: a trial of a whole deployment before the first real event.
//!
//! ```text
//! attrsync traffic --brokers kafka:9092
//! attrsync traffic --rate 5000 --events 1000000
//! ```

use std::{process::ExitCode, time::Duration};

use anyhow::anyhow;
use clap::Args;

use super::{
    feed::{Feed, FeedOptions},
    interrupt,
    options::ConfigOptions,
    output::print,
};

/// What stands below the help.
const AFTER_HELP: &str = "\
It goes to the first of kafka.input.topics. Its organizations and keys are those of settings.example.toml: a worker with other
settings rejects all of it. One event in six is forged, expired, unsigned or broken, and refused.

Examples:
  attrsync traffic --brokers kafka:9092          ten events a second until ctrl-C
  attrsync traffic --rate 5000 --events 1000000  end after a million

Exit codes: 0 ended by ctrl-C or SIGTERM, or all events arrived; 1 an event did not arrive; 2 usage or configuration.";

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Send made-up events, signed and forged, to the input topic of a cluster
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct TrafficArgs {
    #[command(flatten)]
    traffic: FeedOptions,

    #[command(flatten)]
    config: ConfigOptions,
}

impl TrafficArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load_for_service([])?;
        let interrupt = interrupt::listen()?;
        let mut feed = Feed::start(&config, self.traffic.plan())?;
        let topic = config.kafka.input.topics.first().map(String::as_str).unwrap_or_default();
        tracing::info!(topic, rate = self.traffic.rate, "sending made-up events");
        while !feed.done() && feed.fault().is_none() && !interrupt.comes_within(LOOK) {}
        let arrived = feed.end();
        print(&format!("{arrived} events arrived in {topic}\n"))?;
        match feed.fault() {
            Some(fault) => Err(anyhow!(fault).context(format!("an event did not arrive in {topic}"))),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}
