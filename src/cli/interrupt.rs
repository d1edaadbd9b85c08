//! Ctrl-C and SIGTERM for commands that are no worker: one message, and then the command ends as it sees fit.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel},
    thread,
    time::Duration,
};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

/// Whether the process was asked to end.
pub(super) struct Interrupt(Receiver<()>);

/// Listens from here on: before there is anything that an interrupt would leave behind.
pub(super) fn listen() -> anyhow::Result<Interrupt> {
    let (tell, told) = channel();
    tell_once(tell).context("signals cannot be listened to")?;
    Ok(Interrupt(told))
}

impl Interrupt {
    /// Whether it came. That the sender is gone, which lives as long as nothing came, means so too.
    pub(super) fn came(&self) -> bool {
        self.0.try_recv() != Err(TryRecvError::Empty)
    }

    /// Whether it came, or comes within this time.
    pub(super) fn comes_within(&self, time: Duration) -> bool {
        self.0.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
    }

    /// Waits for it.
    pub(super) fn wait(&self) -> anyhow::Result<()> {
        // The sender lives in the thread that waits for the signal; if that is gone, so is the way to end this.
        self.0.recv().context("signals are not listened to any more")
    }
}

/// Tells once, from a thread of its own, when the process is asked to end.
fn tell_once(tell: Sender<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    // Registered before this returns: an early ctrl-C is told too.
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let wait = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        // Whoever no longer listens has ended already.
        _ = tell.send(());
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
    Ok(())
}
