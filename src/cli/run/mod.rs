//! `attrsync run`: the worker. Events in from Kafka, verdicts out to it, until SIGTERM or SIGINT.
//!
//! ```text
//! attrsync run --brokers kafka:9092 --settings settings.toml
//! attrsync run --config /etc/attrsync.toml --set worker.shards=2
//! ```
//!
//! The first signal finishes the batch in hand and ends with 0; a second one, or `worker.shutdown_timeout_ms`, ends at once
//! with 1, and what was open is aborted by the broker or the successor. A fault that persists ends with 1 and one line, a
//! configuration or a settings file that can't be used with 2.

mod options;
mod reading;
mod signals;

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;

use self::reading::{Changes, Sources};
use super::{config::by_default, judging::with_way_out, options::ConfigOptions, output, source::source};
use crate::{
    config::Config,
    observe::{
        admin::Admin,
        metrics::of_worker,
        telemetry::{Exporter, Spans, Target},
    },
    store::{Reload, Settings, log_unusable, log_warnings},
    worker::{Fault, Options, Stats, Stopper, Worker},
};

pub(super) use options::worker as worker_options;

/// What stands below the help.
const AFTER_HELP: &str = "\
Examples:
  attrsync topics create --config attrsync.toml   make the topics first
  attrsync run --config attrsync.toml
  attrsync run --brokers kafka:9092 --settings settings.toml --set worker.shards=2

SIGTERM or SIGINT: the first finishes the batch in hand, a second one ends at once. Probes and
metrics are at admin.address.

Exit codes: 0 stopped by a signal, nothing in hand; 1 a fault that persists, or stopped at once;
2 usage, configuration or settings file.";

/// Judge events from Kafka until SIGTERM
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigOptions,
}

impl RunArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load_for_service([])?;
        match judge(&config) {
            // Among lines of JSON another kind of line would be none to whoever reads them.
            Err(error) if config.log.format.is_json(io::stderr().is_terminal()) => Ok(output::log(&error)),
            Err(error) => Err(error),
            Ok(()) => Ok(ExitCode::SUCCESS),
        }
    }
}

/// From the first look at the settings to the last commit.
fn judge(config: &Config) -> anyhow::Result<()> {
    // From here on: the first process of a container never hears of a signal that it has no handler for.
    let stopper = Stopper::default();
    signals::listen(stopper.clone(), Duration::from_millis(config.worker.shutdown_timeout_ms))?;
    let settings = Arc::new(load(config)?);
    let changes = Changes::none();
    let told = {
        let changes = changes.clone();
        move |reload: &Reload| changes.note(reload)
    };
    let _watch = settings.watch(Duration::from_millis(config.settings.reload_interval_ms), told)?;
    if !stopper.asked() {
        work(config, &settings, changes, &stopper)?;
    }
    tracing::info!("stopped");
    Ok(())
}

fn load(config: &Config) -> anyhow::Result<Settings> {
    let named_nowhere = by_default(&config.settings.source);
    let settings = Settings::load(source(config, None)?, config.policy());
    let settings = settings.map_err(|error| with_way_out(error, named_nowhere))?;
    log_warnings(settings.warnings());
    log_unusable(settings.unusable());
    Ok(settings)
}

/// Until the last commit. Probes are answered before a broker does.
fn work(config: &Config, settings: &Arc<Settings>, changes: Changes, stopper: &Stopper) -> anyhow::Result<()> {
    let stats = Arc::<OnceLock<Arc<Stats>>>::default();
    let exports = !config.telemetry.otlp_endpoint.is_empty();
    let spans = exports.then(|| Arc::new(Spans::new(config.telemetry.queue_spans)));
    let (read_stats, settings_read) = (Arc::clone(&stats), Arc::clone(settings));
    let read = Sources { stats: read_stats, settings: settings_read, changes, spans: spans.clone() }.reader();
    let (address, options) = (config.admin.address, worker_options(config));
    let _admin = Admin::start(address, options.longest_silence(), Arc::clone(&read))
        .with_context(|| format!("admin.address {address} can't be listened on"))?;
    // Ended after the shards, so that the spans of the last batch are told.
    let _exporter = spans.clone().map(|spans| Exporter::start(target(config), spans, of_worker(read))).transpose()?;
    let worker = match Worker::start(&Options { spans, ..options }, settings, stopper) {
        // Whoever asks for a stop while no broker answers has nothing in hand.
        Err(Fault::Unreachable { .. } | Fault::TopicMissing { .. }) if stopper.asked() => return Ok(()),
        started => started?,
    };
    let counts = stats.get_or_init(|| worker.stats());
    tracing::info!(
        shards = counts.shards().len(),
        group = config.kafka.group_id,
        instance = config.kafka.instance,
        topics = config.kafka.input.topics.join(","),
        settings_version = settings.current().version(),
        "running"
    );
    Ok(worker.join()?)
}

/// The collector, and who tells it.
fn target(config: &Config) -> Target {
    let telemetry = &config.telemetry;
    let every = Duration::from_secs(telemetry.metrics_interval_s);
    Target {
        endpoint: telemetry.otlp_endpoint.clone(),
        service: telemetry.service_name.clone(),
        instance: config.kafka.instance.clone(),
        group: config.kafka.group_id.clone(),
        metrics: (!every.is_zero()).then_some(every),
    }
}
