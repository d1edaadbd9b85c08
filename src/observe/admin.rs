//! The endpoint for probes and metrics: `/livez`, `/readyz`, `/metrics`, on a thread of its own so that it answers, or by its
//! silence tells, whatever the shards do. It asks for no password and shows no personal data; it stands on loopback unless
//! configured otherwise.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;

use super::{
    bounded::{Bounds, Patience},
    metrics::{self, Metrics, Reader},
    serve::{Server, Service, scraped},
};

/// Few connections, each of which carries one request.
const BOUNDS: Bounds = Bounds { connections: 32, patience: Patience::Whole(Duration::from_secs(5)) };

/// The body of `/livez` and `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether all is well.
    pub ok: bool,
    /// What is not: shards that are silent, or what the worker still waits for.
    pub missing: Vec<String>,
}

/// A running endpoint; it ends when this is dropped.
#[derive(Debug)]
pub struct Admin(Server);

impl Admin {
    /// Serves what `read` tells. A shard that is silent for longer than `silence` counts as dead.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the system has no thread to give.
    pub fn start(address: SocketAddr, silence: Duration, read: Reader) -> io::Result<Self> {
        let shown = Shown { metrics: Metrics::new(metrics::of_worker(Arc::clone(&read))), read, silence };
        let service = Service {
            name: "admin",
            title: "the admin endpoint",
            bounds: BOUNDS,
            runtime: Builder::new_current_thread(),
            router: router(Arc::new(shown)),
        };
        Server::start(address, service).map(Self)
    }

    /// Where it listens; with port 0 the system has chosen one.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

struct Shown {
    metrics: Metrics,
    read: Reader,
    silence: Duration,
}

fn router(shown: Arc<Shown>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .with_state(shown)
}

async fn livez(State(shown): State<Arc<Shown>>) -> Response {
    let silent = (shown.read)().silent(shown.silence);
    health(silent.into_iter().map(|shard| format!("heartbeat of shard {shard}")).collect())
}

async fn readyz(State(shown): State<Arc<Shown>>) -> Response {
    health((shown.read)().missing())
}

async fn scrape(State(shown): State<Arc<Shown>>) -> Response {
    ([(CONNECTION, "close")], scraped(&shown.metrics)).into_response()
}

/// The answer of a probe: well when nothing is missing.
pub(crate) fn health(missing: Vec<String>) -> Response {
    let ok = missing.is_empty();
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // A struct of a flag and texts always serializes.
    let body = serde_json::to_string(&Health { ok, missing }).unwrap_or_default();
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store"), (CONNECTION, "close")];
    (status, headers, body + "\n").into_response()
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
        sync::atomic::{AtomicBool, Ordering},
    };

    use super::*;
    use crate::observe::{Reading, SettingsReading, ShardReading};

    fn start(read: impl Fn() -> Reading + Send + Sync + 'static) -> Admin {
        Admin::start(([127, 0, 0, 1], 0).into(), Duration::from_secs(30), Arc::new(read)).unwrap()
    }

    /// The status and the body of one request, and that the server closes after it.
    fn get(admin: &Admin, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(admin.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    #[test]
    fn probes_tell_what_is_missing() {
        let begun = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&begun);
        let admin = start(move || {
            let joined = told.load(Ordering::Relaxed);
            let settings = joined.then_some(SettingsReading { version: 1, ..SettingsReading::default() });
            Reading { shards: vec![ShardReading { joined, ..ShardReading::default() }], settings, ..Reading::default() }
        });
        assert_eq!(get(&admin, "/livez"), (200, "{\"ok\":true,\"missing\":[]}\n".to_owned()));
        let missing = r#"{"ok":false,"missing":["settings","assignment of shard 0"]}"#;
        assert_eq!(get(&admin, "/readyz"), (503, format!("{missing}\n")));
        begun.store(true, Ordering::Relaxed);
        assert_eq!(get(&admin, "/readyz").0, 200);
        assert!(get(&admin, "/metrics").1.ends_with("# EOF\n"));
        assert_eq!(get(&admin, "/").0, 404);
    }

    #[test]
    fn a_silent_shard_is_not_alive() {
        let silent = ShardReading { silence: Duration::from_secs(31), ..ShardReading::default() };
        let admin = start(move || Reading { shards: vec![silent.clone()], ..Reading::default() });
        let (status, body) = get(&admin, "/livez");
        assert_eq!((status, body.contains("heartbeat of shard 0")), (503, true));
    }

    #[test]
    fn connections_that_say_nothing_do_not_lock_others_out_for_long() {
        let admin = start(Reading::default);
        let silent: Vec<_> =
            (0..BOUNDS.connections + 1).map(|_| TcpStream::connect(admin.address()).unwrap()).collect();
        assert_eq!(get(&admin, "/livez").0, 200);
        drop(silent);
    }

    #[test]
    fn an_address_in_use_is_refused() {
        let admin = start(Reading::default);
        let error = Admin::start(admin.address(), Duration::ZERO, Arc::new(Reading::default)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
