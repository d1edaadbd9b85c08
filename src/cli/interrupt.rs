//! Ctrl-C and SIGTERM for commands that are no worker: one message, and then the command ends as it sees fit.

use std::{io, thread};

use tokio::signal::unix::{SignalKind, signal};

/// Calls `told` once, from a thread of its own, when the process is asked to end.
pub(super) fn on_interrupt(told: impl FnOnce() + Send + 'static) -> io::Result<()> {
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
        told();
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
    Ok(())
}
