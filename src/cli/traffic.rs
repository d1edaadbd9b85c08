//! `attrsync traffic`: what `attrsync dev` sends, to a real cluster: a trial of a whole deployment before the first real event.
//!
//! ```text
//! attrsync traffic --brokers kafka:9092
//! attrsync traffic --rate 5000 --events 1000000
//! ```

use std::{process::ExitCode, thread, time::Duration};

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::{
    feed::{Feed, FeedOptions},
    history::unless_interrupted,
    interrupt::{self, Interrupt},
    options::ConfigOptions,
    output::{Usage, print},
};
use crate::{
    config::{ClientRole, Config},
    source::kafka,
    worker::Fault,
};

/// What stands below the help.
const AFTER_HELP: &str = "\
It goes to the first of kafka.input.topics. Its organizations and keys are those of
settings.example.toml: a worker with other settings rejects all of it. One event in six is forged,
expired, unsigned or broken, and refused.

Examples:
  attrsync traffic --brokers kafka:9092          ten events a second until ctrl-C
  attrsync traffic --rate 5000 --events 1000000  end after a million

Exit codes: 0 ended by ctrl-C or SIGTERM, or all events arrived; 1 an event did not arrive; 2 usage
or configuration.";

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(50);
/// How long a broker may take to say whether the topic is there. One that takes longer is asked by the producer.
const ANSWER: Duration = Duration::from_secs(3);

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
        if self.config.settings_file().is_some() {
            let wrong = "--settings is of no use: made-up events are signed by the sample settings; leave it out";
            return Err(Usage::new(wrong).into());
        }
        let config = self.config.load_for_service([])?;
        let interrupt = interrupt::listen()?;
        let topic = config.kafka.input.topics.first().map(String::as_str).unwrap_or_default();
        find(topic, &config, &interrupt).with_context(|| not_arrived(topic))?;
        let mut feed = Feed::start(&config, self.traffic.plan())?;
        tracing::info!(topic, rate = self.traffic.rate, "sending made-up events");
        while !feed.done() && feed.fault().is_none() && !interrupt.comes_within(LOOK) {}
        let arrived = feed.end();
        print(&format!("{arrived} events arrived in {topic}\n"))?;
        match feed.fault() {
            Some(fault) => Err(anyhow!(fault).context(not_arrived(topic))),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}

fn not_arrived(topic: &str) -> String {
    format!("an event did not arrive in {topic}")
}

/// Refuses a topic of which the brokers say that it isn't there: a producer would only find that nothing arrives in time. Whatever else
/// is wrong, the producer tells.
fn find(topic: &str, config: &Config, interrupt: &Interrupt) -> anyhow::Result<()> {
    let (client, name) = (config.kafka.client(ClientRole::Consumer), topic.to_owned());
    let look_again = |pause| {
        thread::park_timeout(pause);
        false
    };
    let look_up = move || kafka::partitions_made_lately(&client, &name, ANSWER, look_again);
    if !matches!(unless_interrupted(interrupt, look_up)?, Some(Ok(None))) {
        return Ok(());
    }
    Err(Fault::TopicMissing { topic: topic.to_owned(), brokers: config.kafka.bootstrap_servers.clone() }.into())
}
