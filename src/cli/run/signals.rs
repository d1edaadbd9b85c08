//! SIGTERM and SIGINT. The first asks the worker to stop; the second, or the time it may take, ends the process.

use std::{io, process, thread, time::Duration};

use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    time,
};

use crate::worker::Stopper;

/// What comes within this time of the first signal is the same wish: `timeout` signals a process and then its group, itself among them.
const ONE_WISH: Duration = Duration::from_millis(100);

/// Listens from now on, in a thread that lives as long as the process.
pub(super) fn listen(stopper: Stopper, patience: Duration) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    // Before the thread runs: a signal that came in between would end the process the hard way.
    let (mut term, mut int) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let wait = move || {
        runtime.block_on(async {
            let name = next(&mut term, &mut int).await;
            tracing::info!(signal = name, "finishing the batch in hand");
            stopper.stop();
            time::sleep(ONE_WISH).await;
            while time::timeout(Duration::ZERO, next(&mut term, &mut int)).await.is_ok() {}
            let why = match time::timeout(patience, next(&mut term, &mut int)).await {
                Ok(name) => format!("a second signal, {name}"),
                Err(_) => format!("not done within worker.shutdown_timeout_ms ({})", patience.as_millis()),
            };
            end_at_once(&why);
        });
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "asked for: shards that hang can't be waited for, and what is open is aborted"
)]
fn end_at_once(why: &str) -> ! {
    tracing::error!(why, "ending at once; the broker aborts what is open");
    process::exit(1)
}

async fn next(term: &mut Signal, int: &mut Signal) -> &'static str {
    tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
    }
}
