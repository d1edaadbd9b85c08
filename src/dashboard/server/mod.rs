//! The server: the page, the API, the stream and the metrics, on threads of their own. Every answer carries headers that let a browser run
//! nothing but the page's own scripts, and load nothing from elsewhere.

pub(super) mod access;
mod api;
mod assets;
pub mod openapi;
mod problem;
mod query;
mod stream;

use std::{io, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::{runtime::Builder, sync::Semaphore};

use self::{
    access::{Access, Token, access},
    problem::Problem,
};
use super::{Options, Shared, lock, metrics, now};
use crate::observe::{
    admin::health,
    bounded::{Bounds, Patience},
    metrics::Metrics,
    serve::{Server, Service, scraped},
};

/// Connections beside those of subscribers.
const CONNECTIONS: usize = 64;
/// How long things may take.
const PACE: Pace =
    Pace { stall: Duration::from_secs(15), keep_alive: Duration::from_secs(5), stream: Duration::from_secs(60 * 60) };
/// Threads that answer.
const THREADS: usize = 2;

/// Scripts, styles and data from here alone; nothing inline, no frame, no form to elsewhere, no text that becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What every answer carries.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// How long things may take.
#[derive(Clone, Copy)]
struct Pace {
    /// How long a connection may go without being answered.
    stall: Duration,
    /// How often a stream without verdicts says that it is there. Well below the former.
    keep_alive: Duration,
    /// How long a stream goes on. Of one whose reader has stopped or vanished nobody can tell while what there is to say fits into the
    /// system's buffers, and it holds a place.
    stream: Duration,
}

/// What the handlers share.
struct App {
    shared: Arc<Shared>,
    token: Option<Token>,
    /// Places of the stream.
    places: Arc<Semaphore>,
    pace: Pace,
    /// The brokers, for commands that fetch an event.
    brokers: String,
    metrics: Metrics,
}

/// Listens and answers.
pub(super) fn start(options: &mut Options, shared: Arc<Shared>) -> io::Result<Server> {
    start_at(options, shared, PACE)
}

fn start_at(options: &mut Options, shared: Arc<Shared>, pace: Pace) -> io::Result<Server> {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(THREADS).thread_name("dashboard");
    let app = App {
        metrics: metrics::of(&shared),
        shared,
        token: options.token.take(),
        places: Arc::new(Semaphore::new(options.subscribers)),
        pace,
        brokers: options.consumer.get("bootstrap.servers").unwrap_or_default().to_owned(),
    };
    let service = Service {
        name: "dashboard",
        title: "the dashboard's server",
        bounds: Bounds { connections: CONNECTIONS + options.subscribers, patience: Patience::Stalled(pace.stall) },
        runtime,
        router: router(Arc::new(app)),
    };
    Server::start(options.address, service)
}

fn router(app: Arc<App>) -> Router {
    let api = Router::new()
        .route("/api/v1/overview", get(api::overview))
        .route("/api/v1/reasons", get(api::reasons))
        .route("/api/v1/organizations", get(api::organizations))
        .route("/api/v1/organizations/{organization}", get(api::organization))
        .route("/api/v1/verdicts", get(api::verdicts))
        .route("/api/v1/verdicts/stream", get(api::verdicts_stream))
        .route("/api/v1/verdicts/{topic}/{partition}/{offset}", get(api::verdict))
        .route("/api/v1/session", post(api::session).fallback(api::no_session))
        .route("/metrics", get(scrape))
        .layer(from_fn_with_state(Arc::clone(&app), known));
    // Probes show no token, and come under whatever name.
    api.merge(assets::routes())
        .route("/livez", get(|| async { health(Vec::new()) }))
        .route("/readyz", get(readyz))
        .fallback(|| async {
            Problem::new(StatusCode::NOT_FOUND, "there is nothing here; docs/openapi.json lists what there is")
        })
        .method_not_allowed_fallback(|| async { Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this can only be read") })
        .layer(from_fn(guarded))
        .with_state(app)
}

/// Ready once both topics are read up to their ends: before that, counts grow as the past is read back. One that falls behind
/// later stays ready: what it shows is what somebody looks for then.
async fn readyz(State(app): State<Arc<App>>) -> Response {
    let topics = [("accepted verdicts", &app.shared.accepted), ("rejected verdicts", &app.shared.rejected)];
    let behind = topics.into_iter().filter(|(_, progress)| !lock(progress).read_back);
    health(behind.map(|(name, _)| name.to_owned()).collect())
}

async fn scrape(State(app): State<Arc<App>>) -> Response {
    scraped(&app.metrics)
}

/// Lets only those pass who may read.
async fn known(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match access(app.token.as_ref(), request.headers(), now() / 1_000) {
        Access::Granted => next.run(request).await,
        Access::Unknown => Problem::unknown().into_response(),
        Access::OtherHost => {
            let detail = "without a token only requests to localhost are answered, under that name; for others set dashboard.token_file";
            Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).into_response()
        }
    }
}

/// Adds the headers that every answer carries.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
