//! `attrsync run`: the worker. Events in from Kafka, verdicts out to it, until SIGTERM or SIGINT.
//!
//! ```text
//! attrsync run --brokers kafka:9092 --settings settings.toml
//! attrsync run --config /etc/attrsync.toml --set worker.shards=2
//! ```
//!
//! The first signal finishes the batch in hand and ends with 0; a second one, or `worker.shutdown_timeout_ms`, ends at once
//! with 1, and what was open is aborted by the broker or the successor. A fault that persists ends with 1 and one line.

pub(super) mod options;
mod reading;
mod signals;

use std::{
    panic,
    process::ExitCode,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;

use self::reading::Taken;
use super::{options::ConfigOptions, source::source};
use crate::{
    config::Config,
    observe::{admin::Admin, log},
    store::{Reload, Settings, log_unusable, log_warnings},
    worker::{Stats, Stopper, Worker},
};

pub(super) use options::worker as worker_options;

/// A shard's loop beats several times a second; a fault holds it up for as long as the longest of its calls. Beyond this
/// it hangs.
const SILENCE: Duration = Duration::from_secs(90);

/// What stands below the help.
const AFTER_HELP: &str = "\
Examples:
  attrsync topics create --config attrsync.toml   make the topics first
  attrsync run --config attrsync.toml
  attrsync run --brokers kafka:9092 --settings settings.toml --set worker.shards=2

SIGTERM or SIGINT: the first finishes the batch in hand, a second one ends at once. Probes and metrics are at admin.address.

Exit codes: 0 stopped by a signal, nothing in hand; 1 a fault that persists, or stopped at once; 2 usage or configuration.";

/// Judge events from Kafka until SIGTERM
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigOptions,
}

impl RunArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?.config;
        log::init(&config.log)?;
        panic::set_hook(Box::new(report_panic));
        let settings = Arc::new(load(&config)?);
        let taken = Taken::now();
        let told = {
            let taken = taken.clone();
            move |reload: &Reload| {
                if let Reload::Applied { .. } = reload {
                    taken.anew();
                }
            }
        };
        let _watch = settings.watch(Duration::from_millis(config.settings.reload_interval_ms), told)?;
        work(&config, &settings, taken)?;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

fn load(config: &Config) -> anyhow::Result<Settings> {
    let settings = Settings::load(source(config, None)?, config.policy())?;
    log_warnings(settings.warnings());
    log_unusable(settings.unusable());
    Ok(settings)
}

/// From the first signal handler to the last commit. Probes are answered before a broker does.
fn work(config: &Config, settings: &Arc<Settings>, taken: Taken) -> anyhow::Result<()> {
    let stopper = Stopper::default();
    signals::listen(stopper.clone(), Duration::from_millis(config.worker.shutdown_timeout_ms))?;
    let stats = Arc::<OnceLock<Arc<Stats>>>::default();
    let address = config.admin.address;
    let _admin = Admin::start(address, SILENCE, reading::reader(Arc::clone(&stats), Arc::clone(settings), taken))
        .with_context(|| format!("admin.address {address} can't be listened on"))?;
    let worker = match Worker::start(&options::worker(config), settings, &stopper) {
        // Whoever asks for a stop while no broker answers has nothing in hand.
        Err(_) if stopper.asked() => return Ok(()),
        started => started?,
    };
    let counts = stats.get_or_init(|| worker.stats());
    tracing::info!(
        shards = counts.shards().len(),
        group = config.kafka.group_id,
        instance = config.kafka.instance,
        topics = ?config.kafka.input.topics,
        settings_version = settings.current().version(),
        "running"
    );
    Ok(worker.join()?)
}

/// Says where, and not what: a panic's message can hold a value of an event.
fn report_panic(info: &panic::PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(thread = thread.name().unwrap_or_default(), location, "panic: a bug in attrsync");
}
