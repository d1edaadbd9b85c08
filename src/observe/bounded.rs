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
    /// Without a byte in or out: it carries many, or an answer without end.
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

    /// Passes on what became of a read or a write, after which a stalled connection is none.
    fn moved<T>(&mut self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let (Poll::Ready(Ok(_)), Patience::Stalled(time)) = (&result, self.patience) {
            self.deadline.as_mut().reset(Instant::now() + time);
        }
        result
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = self.poll_stream(context)?.poll_read(context, buffer);
        self.moved(result)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = self.poll_stream(context)?.poll_write(context, bytes);
        self.moved(result)
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
    use std::{future::poll_fn, io::Read as _};

    use super::*;

    const SHORT: Duration = Duration::from_millis(200);

    #[test]
    fn a_stalled_connection_fails_and_one_that_moves_does_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut listener = Bounded::new(listener, Bounds { connections: 1, patience: Patience::Stalled(SHORT) });
            let mut client = std::net::TcpStream::connect(address).unwrap();
            let (mut connection, _) = listener.accept().await;
            let begun = Instant::now();
            while begun.elapsed() < 3 * SHORT {
                poll_fn(|context| Pin::new(&mut connection).poll_write(context, b"x")).await.unwrap();
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
}
