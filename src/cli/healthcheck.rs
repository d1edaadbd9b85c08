//! `attrsync healthcheck`: asks a running worker's admin endpoint, or a dashboard, whether it is alive, or ready. For containers,
//! whose images hold no other client.
//!
//! ```text
//! HEALTHCHECK CMD ["attrsync", "healthcheck"]
//! attrsync healthcheck --ready
//! attrsync healthcheck --address 127.0.0.1:9465
//! ```

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::Args;

use super::{
    options::{ConfigOptions, address},
    output::{FAULT, print},
};
use crate::observe::admin::Health;

/// More than any answer has.
const MOST_BYTES: u64 = 64 * 1024;

/// What stands below the help.
const AFTER_HELP: &str = "\
Examples:
  attrsync healthcheck                            the worker of this configuration (admin.address)
  attrsync healthcheck --ready                    whether it judges
  attrsync healthcheck --address 127.0.0.1:9465   a dashboard

Exit codes: 0 it is; 1 it is not, or does not answer; 2 usage or configuration.";

/// Ask a running worker or dashboard whether it is alive
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct HealthcheckArgs {
    /// Ask whether it is ready: settings loaded, every shard in the group; a dashboard, whether it has read the topics
    #[arg(long)]
    ready: bool,

    /// Where to ask, as address:port, a dashboard's too [default: admin.address]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    address: Option<SocketAddr>,

    /// Milliseconds to wait for the answer
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    timeout_ms: u64,

    #[command(flatten)]
    config: ConfigOptions,
}

impl HealthcheckArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let address = match self.address {
            Some(address) => address,
            None => reachable(self.config.load()?.config.admin.address),
        };
        let (path, well) = if self.ready { ("/readyz", "ready") } else { ("/livez", "alive") };
        let timeout = Duration::from_millis(self.timeout_ms);
        let body = get(address, path, timeout).with_context(|| format!("nobody answers at http://{address}{path}"))?;
        let health: Health = serde_json::from_str(&body)
            .with_context(|| format!("nothing of attrsync answers at http://{address}{path}"))?;
        if health.ok {
            print(&format!("{well}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        print(&format!("not {well}, missing: {}\n", health.missing.join(", ")))?;
        Ok(ExitCode::from(FAULT))
    }
}

/// An address that listens everywhere is asked on loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// The body of an answer, whatever its status. HTTP/1.0: the server closes after it and does not split it into chunks.
fn get(address: SocketAddr, path: &str, timeout: Duration) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    // At once: a stream has no buffer, and whoever answers after a first part may have gone before the rest.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(MOST_BYTES).read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    body.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::observe::{Reading, admin::Admin};

    #[test]
    fn a_worker_is_asked_by_its_own_endpoint() {
        let admin =
            Admin::start(([127, 0, 0, 1], 0).into(), Duration::from_secs(1), Arc::new(Reading::default)).unwrap();
        let body = get(admin.address(), "/readyz", Duration::from_secs(5)).unwrap();
        let health: Health = serde_json::from_str(&body).unwrap();
        assert_eq!(health, Health { ok: false, missing: vec!["settings".to_owned(), "shards".to_owned()] });
    }

    #[test]
    fn whoever_hangs_up_is_not_alive() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let hung_up = std::thread::spawn(move || drop(listener.accept().unwrap()));
        assert!(get(address, "/livez", Duration::from_secs(5)).is_err());
        hung_up.join().unwrap();
    }

    #[test]
    fn an_address_that_listens_everywhere_is_asked_on_loopback() {
        assert_eq!(reachable(([0, 0, 0, 0], 9464).into()), ([127, 0, 0, 1], 9464).into());
        assert_eq!(reachable("[::]:1".parse().unwrap()), "[::1]:1".parse().unwrap());
    }
}
