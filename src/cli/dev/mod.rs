//! `attrsync dev`: everything in one process, nothing else installed: a broker, sample settings, traffic, the worker, and
//! its verdicts on the terminal and in a browser.
//!
//! ```text
//! attrsync dev
//! attrsync dev --events 1000 --rate 500
//! attrsync dev --no-traffic --settings mine.toml
//! ```
//!
//! The broker is librdkafka's mock cluster. It speaks to any client, but knows no transactions: delivery is at least once
//! here. What judges, reads and writes is the worker that `run` starts; the view reads the verdict topics as any subscriber
//! would.

mod broker;
mod intro;
mod verdicts;
mod view;

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;

use super::{
    dashboard::{address_in_use, start, url},
    feed::{Feed, FeedOptions, Plan},
    interrupt::{self, Interrupt},
    output::{Usage, print},
    run::worker_options,
};
use crate::{
    config::{self, Config, Log, LogFormat, SettingsSource},
    dashboard::{Dashboard, History},
    observe::log,
    store::{Settings, Source, log_warnings},
    worker::{Stopper, TopicLimits, Worker},
};
use broker::Broker;
use intro::Shown;
use verdicts::Verdicts;
use view::View;

/// What stands below the help.
const AFTER_HELP: &str = "\
Nothing else has to be installed. The embedded broker has no transactions: verdicts are delivered at
least once here. Nor can it look up offsets by time or tell how its topics are set up: `--since`
finds nothing in it, and `topics check` gets no answer.

Examples:
  attrsync dev                                     watch ten events a second being judged
  attrsync dev --events 1000 --rate 500            end after a thousand, with a summary
  attrsync dev --no-traffic --settings mine.toml   judge your own events by your own settings

Exit codes: 0 ended by ctrl-C, or all events have their verdicts; 1 a fault; 2 usage.";

/// The most events without a verdict: the embedded broker forgets what is older.
const AHEAD: u64 = 2_000;
/// How often an edited settings file is looked at.
const RELOAD: Duration = Duration::from_millis(500);
/// How long the last verdicts may take after the last event was sent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Try everything in one process: a broker, sample settings, traffic and the worker
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct DevArgs {
    #[command(flatten)]
    traffic: FeedOptions,

    /// Send nothing: judge your own events alone
    #[arg(long, conflicts_with_all = ["rate", "events", "seed"])]
    no_traffic: bool,

    /// Settings file, reloaded when it changes [default: the samples, settings.example.toml]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,

    /// Where the dashboard listens, on loopback [default: 127.0.0.1:9465, else any port that is free]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = loopback)]
    dashboard_address: Option<SocketAddr>,

    /// Start no dashboard
    #[arg(long, conflicts_with = "dashboard_address")]
    no_dashboard: bool,
}

impl DevArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let interrupt = interrupt::listen()?;
        log::init(&Log { filter: "warn,attrsync::store=info,librdkafka=error".to_owned(), format: LogFormat::Text })?;
        let broker = Broker::start()?;
        let config = configuration(&broker)?;
        let settings = Arc::new(self.load(&config)?);
        let _watch = settings.watch(RELOAD, |_| {})?;
        let dashboard = self.dashboard(&config)?;
        let url = dashboard.as_ref().map(|dashboard| url(dashboard.address()));
        print(&intro::text(
            &config,
            &settings,
            &Shown { rate: (!self.no_traffic).then_some(self.traffic.rate), dashboard: url },
        ))?;
        let verdicts = Verdicts::subscribe(&config)?;
        let stopper = Stopper::default();
        let mut options = worker_options(&config);
        options.outputs.topics = TopicLimits::None;
        let worker = Worker::start(&options, &settings, &stopper)?;
        let events = if self.no_traffic { Some(0) } else { self.traffic.events };
        let feed = Feed::start(&config, Plan { events, ahead: Some(AHEAD), ..self.traffic.plan() })?;
        let shown = self.show(&Sources { verdicts, feed, interrupt, stopper: stopper.clone() });
        // Before the broker goes, which it would look for.
        drop(dashboard);
        stopper.stop();
        worker.join()?;
        shown?.summary()?;
        Ok(ExitCode::SUCCESS)
    }

    /// The dashboard of `attrsync dashboard`, in this process. Where nobody asked for a port, any will do.
    fn dashboard(&self, config: &Config) -> anyhow::Result<Option<Dashboard>> {
        if self.no_dashboard {
            return Ok(None);
        }
        let address = self.dashboard_address.unwrap_or(config.dashboard.address);
        let flag = "--dashboard-address";
        match start(config, History::Whole, (address, flag)) {
            Err(error) if self.dashboard_address.is_none() && address_in_use(&error) => {
                start(config, History::Whole, (SocketAddr::new(address.ip(), 0), flag)).map(Some)
            }
            started => started.map(Some),
        }
    }

    fn load(&self, config: &Config) -> anyhow::Result<Settings> {
        let settings = Settings::load(self.source()?, config.policy())?;
        log_warnings(settings.warnings());
        Ok(settings)
    }

    /// The settings file, or the samples. What the configuration takes for no path isn't opened: it may be a URL with a login.
    fn source(&self) -> Result<Source, Usage> {
        let Some(path) = &self.settings else { return Ok(Source::Embedded(crate::store::EXAMPLE)) };
        match path.to_str().map(|path| SettingsSource::try_from(format!("file:{path}"))) {
            Some(Err(_)) => Err(Usage::new("--settings: expected the path of a settings file; dev reads no database")),
            _ => Ok(Source::File(path.clone())),
        }
    }

    /// Shows verdicts until all events have theirs, or somebody presses ctrl-C.
    fn show(&self, sources: &Sources) -> anyhow::Result<View> {
        let (mut view, mut last) = (View::new(), Instant::now());
        loop {
            if let Some(verdict) = sources.verdicts.next()? {
                view.show(&verdict)?;
                sources.feed.seen(view.total());
                last = Instant::now();
            }
            view.tick();
            let ended = self.traffic.events.is_some_and(|events| view.total() >= events);
            if ended || sources.interrupt.came() {
                return Ok(view);
            }
            if sources.stopper.asked() {
                bail!("the worker has ended");
            }
            if let Some(events) = self.traffic.events
                && sources.feed.done()
                && last.elapsed() > PATIENCE
            {
                bail!("{events} events were sent and {} verdicts came", view.total());
            }
        }
    }
}

/// An address that nobody else reaches: no token is asked for here.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "expected address:port, as in 127.0.0.1:9465".to_owned())?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("dev asks for no token and listens on loopback alone; attrsync dashboard takes any address".to_owned())
}

/// What the view waits for.
struct Sources {
    verdicts: Verdicts,
    feed: Feed,
    interrupt: Interrupt,
    stopper: Stopper,
}

/// The configuration of `run` by default, on the embedded broker. No file is read: what it says of a real cluster has no
/// meaning here.
fn configuration(broker: &Broker) -> anyhow::Result<Config> {
    let mut config: Config = toml::from_str(config::DEFAULTS).context("the default configuration cannot be read")?;
    config.kafka.bootstrap_servers = broker.address();
    config.kafka.instance = "dev".to_owned();
    config.worker.delivery = config::Delivery::AtLeastOnce;
    // With two members that join at once the embedded broker now and then waits out a session before either may begin.
    config.worker.shards = 1;
    broker.create_topics(&config)?;
    Ok(config)
}
