//! What commands print. Results go to standard output, without colour unless that is a terminal; what went wrong goes to
//! standard error, once, with its causes.

use std::{fmt::Display, io, io::Write, process::ExitCode};

use anstyle::{AnsiColor, Style};

use super::{history::Interrupted, judging::INTERRUPTED};
use crate::config::ConfigError;

/// All went well.
pub(super) const OK: u8 = 0;
/// A fault, or a check that failed.
pub(super) const FAULT: u8 = 1;
/// A command line or a configuration that cannot be used. Clap exits with the same.
pub(super) const USAGE: u8 = 2;

/// How an error begins.
const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What is there for completeness.
pub(super) const DIM: Style = Style::new().dimmed();
/// All is well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// Something is wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// Something is doubtful.
pub(super) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();

/// A text in a style.
pub(super) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints a command's result.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// An error and its causes. One whose words are in what was said before it, as librdkafka's codes are, is not said again.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.lines().next_back().is_some_and(|last| last.ends_with(&cause)) {
            text += &format!("\n  because {cause}");
        }
    }
    text
}

/// A command line whose options don't fit together, where clap can't tell.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) &'static str);

/// Says what went wrong and turns it into the exit code. A reader that went away (`| head`) is no fault.
pub(super) fn report(error: &anyhow::Error) -> ExitCode {
    let reader_left = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(reader_left) {
        return ExitCode::from(OK);
    }
    if error.is::<Interrupted>() {
        return ExitCode::from(INTERRUPTED);
    }
    // Nobody is left to tell when this fails.
    _ = writeln!(anstream::stderr(), "{} {}", styled(ERROR, "error:"), told(error));
    ExitCode::from(if error.is::<ConfigError>() || error.is::<Usage>() { USAGE } else { FAULT })
}

#[cfg(test)]
mod tests {
    use rdkafka::{error::KafkaError, types::RDKafkaErrorCode};

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let code = RDKafkaErrorCode::BrokerTransportFailure;
        let error = anyhow::Error::new(KafkaError::MetadataFetch(code)).context("nobody answers").context("no offsets");
        let lines: Vec<_> = told(&error).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0] == "no offsets" && lines[1] == "  because nobody answers", "{lines:?}");
        assert!(lines[2].ends_with(&code.to_string()), "{lines:?}");
    }
}
