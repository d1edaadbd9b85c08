//! `attrsync dashboard`: a page and an API about verdicts, from the verdict topics, until SIGTERM or ctrl-C.
//!
//! ```text
//! attrsync dashboard --brokers kafka:9092
//! attrsync dashboard --address 0.0.0.0:9465 --set dashboard.token_file=/run/secrets/dashboard
//! ```

use std::{io, net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Args;

use super::{
    interrupt,
    options::ConfigOptions,
    output::{Usage, print},
};
use crate::{
    config::{ClientRole, Config},
    dashboard::{Dashboard, History, Limits, Options, Token, TokenError},
};

/// What stands below the help.
const AFTER_HELP: &str = "\
It reads the verdict topics by itself: no consumer group, no commits, and the worker never waits for
it. Counts begin dashboard.window_h hours back, and are the same after a restart.

On loopback it asks for nothing. On any other address it wants a token, and TLS before it:
docs/SECURITY.md says how.

Examples:
  attrsync dashboard --brokers kafka:9092
  attrsync dashboard --set dashboard.window_h=2
  (umask 077 && openssl rand -hex 32 > token)
  attrsync dashboard --address 0.0.0.0:9465 --set dashboard.token_file=token
  curl -N 'http://127.0.0.1:9465/api/v1/verdicts/stream?organization=acme&reason=locked'

Exit codes: 0 ended by a signal; 1 a fault; 2 usage or configuration.";

/// Show verdicts in a browser: health, rejections and why, organizations
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct DashboardArgs {
    /// Where to listen, short for --set dashboard.address=…
    #[arg(long, value_name = "ADDRESS:PORT")]
    address: Option<String>,

    #[command(flatten)]
    config: ConfigOptions,
}

impl DashboardArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let address = self.address.iter().map(|address| ("--address", "dashboard.address", address.clone()));
        let config = self.config.load_for_service(address)?;
        let interrupt = interrupt::listen()?;
        let dashboard = start(&config, history(&config), (config.dashboard.address, "--address"))?;
        print(&format!("{}\n", url(dashboard.address())))?;
        tracing::info!(address = %dashboard.address(), "dashboard");
        interrupt.wait()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What is read back by configuration.
fn history(config: &Config) -> History {
    let hours = u64::from(config.dashboard.window_h);
    History::Window { time: Duration::from_secs(hours * 3_600), records: config.dashboard.window_records }
}

/// Starts one at this address, which a flag can change.
pub(super) fn start(
    config: &Config,
    history: History,
    (address, flag): (SocketAddr, &str),
) -> anyhow::Result<Dashboard> {
    let unusable = Usage::new("the token of the dashboard can't be used");
    let options = options(config, history, address).context(unusable)?;
    let refused = || {
        format!(
            "dashboard.address {address} can't be listened on; choose another with {flag}, port 0 for any that is free"
        )
    };
    Dashboard::start(options).with_context(refused)
}

fn options(config: &Config, history: History, address: SocketAddr) -> Result<Options, TokenError> {
    let (kafka, dashboard) = (&config.kafka, &config.dashboard);
    let file = &dashboard.token_file;
    let token = if file.as_os_str().is_empty() { None } else { Some(Token::read(file)?) };
    Ok(Options {
        address,
        token,
        accepted: kafka.accepted_topic.clone(),
        rejected: kafka.rejected_topic.clone(),
        inputs: kafka.input.topics.clone(),
        group: kafka.group_id.clone(),
        history,
        limits: Limits {
            organizations: dashboard.organizations,
            attributes: dashboard.attributes,
            verdicts: dashboard.verdicts,
            verdicts_bytes: dashboard.verdicts_bytes,
        },
        subscribers: dashboard.subscribers,
        consumer: kafka.client(ClientRole::Consumer),
    })
}

/// Where a browser finds it.
pub(super) fn url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

/// Whether it couldn't be started for want of a free port.
pub(super) fn address_in_use(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}
