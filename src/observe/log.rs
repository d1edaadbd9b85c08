//! Logs on standard error: text for people on a terminal, one JSON object a line in a pipe. librdkafka's lines come through
//! the same way, under the target `librdkafka`. What must never be logged stands in docs/LOGGING.md.

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use tracing_subscriber::{EnvFilter, fmt, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::Log;

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("log.filter cannot be read")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something logs already.
    #[error("logging is set up already")]
    SetUp(#[from] tracing_subscriber::util::TryInitError),
}

/// Sets logging up for the whole process, before the first Kafka client is made: librdkafka asks then how much is wanted.
///
/// # Errors
/// When the filter cannot be read, or logging is set up already.
pub fn init(log: &Log) -> Result<(), LogError> {
    init_to(log, io::stderr)
}

/// Whether progress stands on the terminal's last line.
static PROGRESS: AtomicBool = AtomicBool::new(false);

/// Says whether progress stands on the terminal's last line: a line of the log is then written over it, and it is drawn again below.
pub fn over_progress(drawn: bool) {
    PROGRESS.store(drawn, Relaxed);
}

/// The same for a command that may show progress.
///
/// # Errors
/// As [`init`].
pub fn init_beside_progress(log: &Log) -> Result<(), LogError> {
    if io::stderr().is_terminal() { init_to(log, || OverProgress(io::stderr())) } else { init(log) }
}

fn init_to(log: &Log, lines: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) -> Result<(), LogError> {
    let registry = tracing_subscriber::registry().with(EnvFilter::builder().parse(&log.filter)?);
    let terminal = io::stderr().is_terminal();
    // A line that cannot be written, to a pipe that nobody reads any more, is lost; to complain about it would panic.
    let lines = fmt::layer().with_writer(lines).log_internal_errors(false);
    if !log.format.is_json(terminal) {
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        registry.with(lines.with_ansi(colour)).try_init()?;
    } else {
        registry.with(lines.json().flatten_event(true).with_current_span(false)).try_init()?;
    }
    Ok(())
}

/// A terminal whose last line progress may stand on. A line of the log comes in one piece.
struct OverProgress(io::Stderr);

impl Write for OverProgress {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut terminal = self.0.lock();
        if PROGRESS.load(Relaxed) {
            terminal.write_all(b"\r\x1b[K")?;
        }
        terminal.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
