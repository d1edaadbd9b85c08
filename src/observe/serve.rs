//! A server on a thread of its own, so that it answers whatever others do: the worker's probes and metrics, and the dashboard.

use std::{
    io,
    net::SocketAddr,
    thread::{self, JoinHandle},
};

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, runtime::Builder, sync::oneshot};

use super::{
    bounded::{Bounded, Bounds},
    metrics::{self, Metrics},
};

/// What is served, and how.
pub(crate) struct Service {
    /// What its thread is called.
    pub(crate) name: &'static str,
    /// What it is called in the line that says that it has ended by itself.
    pub(crate) title: &'static str,
    /// What its connections may take.
    pub(crate) bounds: Bounds,
    /// The threads that answer.
    pub(crate) runtime: Builder,
    /// What is answered.
    pub(crate) router: Router,
}

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens and answers.
    ///
    /// # Errors
    /// When the address can't be listened on, or the system has no thread to give.
    pub(crate) fn start(address: SocketAddr, service: Service) -> io::Result<Self> {
        let Service { name, title, bounds, mut runtime, router } = service;
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime.enable_io().enable_time().build()?;
        let (end, ended) = oneshot::channel();
        let answer = move || {
            runtime.block_on(async {
                tokio::select! {
                    result = serve(listener, bounds, router) => {
                        if let Err(error) = result {
                            tracing::error!(%error, "{title} has ended");
                        }
                    }
                    _ = ended => {}
                }
            });
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(answer)?;
        Ok(Self { address, end: Some(end), thread: Some(thread) })
    }

    /// Where it listens; with port 0 the system has chosen one.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook.
            _ = thread.join();
        }
    }
}

async fn serve(listener: std::net::TcpListener, bounds: Bounds, router: Router) -> io::Result<()> {
    axum::serve(Bounded::new(TcpListener::from_std(listener)?, bounds), router).await
}

/// The answer to whoever scrapes.
pub(crate) fn scraped(metrics: &Metrics) -> Response {
    match metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
