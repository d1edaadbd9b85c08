//! A listener that neither many connections nor slow ones can hold up: their number and the time of each are bounded.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep},
};

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The most at a time; more wait.
    pub(crate) connections: usize,
    /// The time of each.
    pub(crate) patience: Patience,
}

/// The time that a connection may take.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    /// For all of it: it carries one request.
    Whole(Duration),
    /// Without a byte out: it carries many, or an answer without end. A byte that comes in gains no time, or a request could be sent
    /// one by one for ever.
    Stalled(Duration),
}

/// A listener that has a bounded number of connections, each for a bounded time.
pub(crate) struct Bounded {
    listener: TcpListener,
    free: Arc<Semaphore>,
    patience: Patience,
}

impl Bounded {
    pub(crate) fn new(listener: TcpListener, bounds: Bounds) -> Self {
        Self { listener, free: Arc::new(Semaphore::new(bounds.connections)), patience: bounds.patience }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed, so that there is always a permit to wait for.
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let (Patience::Whole(time) | Patience::Stalled(time)) = self.patience;
        let deadline = Box::pin(tokio::time::sleep(time));
        (Connection { stream, deadline, patience: self.patience, _permit: permit }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that fails once its time is over.
pub(crate) struct Connection {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    patience: Patience,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// The stream, until the deadline.
    fn poll_stream(&mut self, context: &mut Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        match self.deadline.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(Pin::new(&mut self.stream)),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_stream(context)?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.poll_stream(context)?.poll_write(context, bytes);
        if let (Poll::Ready(Ok(_)), Patience::Stalled(time)) = (&written, self.patience) {
            self.deadline.as_mut().reset(Instant::now() + time);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_stream(context)?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_stream(context)?.poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        io::{Read as _, Write as _},
        net::TcpStream as Client,
    };

    use super::*;

    const SHORT: Duration = Duration::from_millis(200);
    /// Longer than a busy machine stands still.
    const LONGER: Duration = Duration::from_secs(2);

    fn block_on(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().unwrap().block_on(test);
    }

    /// A connection that may stall for so long, and its client.
    async fn connected(patience: Duration) -> (Connection, Client) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::connect(listener.local_addr().unwrap()).unwrap();
        let mut listener = Bounded::new(listener, Bounds { connections: 1, patience: Patience::Stalled(patience) });
        (listener.accept().await.0, client)
    }

    #[test]
    fn a_stalled_connection_fails_and_one_that_moves_does_not() {
        block_on(async {
            let (mut connection, mut client) = connected(LONGER).await;
            let (begun, mut last) = (Instant::now(), Instant::now());
            while begun.elapsed() < LONGER * 3 / 2 {
                let written = poll_fn(|context| Pin::new(&mut connection).poll_write(context, b"x")).await;
                // It was this test that stood still, if anybody did.
                assert!(written.is_ok() || last.elapsed() >= LONGER, "it moves, and failed");
                if written.is_err() {
                    return;
                }
                last = Instant::now();
                client.read_exact(&mut [0]).unwrap();
            }
            let bytes = vec![0; 1 << 20];
            let error = loop {
                if let Err(error) = poll_fn(|context| Pin::new(&mut connection).poll_write(context, &bytes)).await {
                    break error;
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        });
    }

    #[test]
    fn a_request_that_comes_byte_by_byte_gains_no_time() {
        block_on(async {
            let (mut connection, mut client) = connected(SHORT).await;
            let begun = Instant::now();
            let error = loop {
                client.write_all(b"x").unwrap();
                let mut byte = [0];
                let mut buffer = ReadBuf::new(&mut byte);
                if let Err(error) = poll_fn(|context| Pin::new(&mut connection).poll_read(context, &mut buffer)).await {
                    break error;
                }
                assert!(begun.elapsed() < 50 * SHORT, "it goes on for ever");
            };
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        });
    }
}
