//! What commands print. Results go to standard output, without colour unless that is a terminal; what went wrong goes to
//! standard error, once, with its causes.

use std::{borrow::Cow, fmt::Display, io, io::Write, process::ExitCode};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::{config::ConfigError, store::SettingsError};

/// All went well.
pub(super) const OK: u8 = 0;
/// A fault, or a check that failed.
pub(super) const FAULT: u8 = 1;
/// A command line or a configuration that cannot be used. Clap exits with the same.
pub(super) const USAGE: u8 = 2;
/// Stopped by ctrl-C: 128 and the number of the signal, as a shell has it.
const INTERRUPTED: u8 = 130;

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
    let mut out = StandardOutput(anstream::stdout().lock());
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The same as JSON, indented.
pub(super) fn print_json(result: &impl Serialize) -> anyhow::Result<()> {
    Ok(print(&(serde_json::to_string_pretty(result)? + "\n"))?)
}

/// Tells a doubt on standard error.
pub(super) fn warn(doubt: impl Display) -> io::Result<()> {
    writeln!(anstream::stderr(), "{} {doubt}", styled(DOUBTFUL, "warning:"))
}

/// Tells what is wrong on standard error.
pub(super) fn error(problem: impl Display) -> io::Result<()> {
    writeln!(anstream::stderr(), "{} {problem}", styled(ERROR, "error:"))
}

/// This process's standard output, by the writer that leads there. A reader who leaves it (`| head`) is told apart from every other
/// pipe that breaks: that of a connection, or of a file that somebody else reads.
pub(super) struct StandardOutput<W>(pub(super) W);

impl<W: Write> Write for StandardOutput<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(left)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).map_err(left)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(left)
    }
}

/// Whoever read this process's standard output has gone.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads standard output any more")]
struct ReaderLeft;

fn left(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => io::Error::new(io::ErrorKind::BrokenPipe, ReaderLeft),
        _ => error,
    }
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

/// A command line that can't be used, where clap can't tell.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(Cow<'static, str>);

impl Usage {
    /// One that is told by this text.
    pub(super) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }
}

/// Ctrl-C came before there was anything to show for it.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Interrupted;

/// The exit code of a process that ctrl-C ended.
pub(super) fn interrupted() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}

/// Says what went wrong and turns it into the exit code.
pub(super) fn report(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(tell(error))
}

/// The same with the code as a number.
pub(super) fn tell(error: &anyhow::Error) -> u8 {
    let code = code(error);
    if ![OK, INTERRUPTED].contains(&code) {
        // Nobody is left to tell when this fails.
        _ = self::error(told(error));
    }
    code
}

/// Says in the log what ended a service whose log is read by a machine, and turns it into the exit code. Where nothing is logged, it
/// is said as a command says it.
pub(super) fn log(error: &anyhow::Error) -> ExitCode {
    if !tracing::enabled!(tracing::Level::ERROR) {
        return report(error);
    }
    tracing::error!("{}", told(error));
    ExitCode::from(code(error))
}

/// What an error ends with. A reader of standard output that went away (`| head`) is no fault. A settings file that can't be used is
/// a wrong configuration, which no new start mends; a database out of reach is a fault.
fn code(error: &anyhow::Error) -> u8 {
    let reader_left = |cause: &(dyn std::error::Error + 'static)| {
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<ReaderLeft>)
    };
    if error.chain().any(reader_left) {
        OK
    } else if error.is::<Interrupted>() {
        INTERRUPTED
    } else if error.is::<ConfigError>() || error.is::<Usage>() || is_settings_file(error) {
        USAGE
    } else {
        FAULT
    }
}

fn is_settings_file(error: &anyhow::Error) -> bool {
    let settings = error.downcast_ref();
    matches!(settings, Some(SettingsError::Unreadable { .. } | SettingsError::Broken { .. }))
}

#[cfg(test)]
mod tests {
    use rdkafka::{error::KafkaError, types::RDKafkaErrorCode};

    use super::*;
    use crate::replay::Failure;

    /// A pipe whose reader has gone.
    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_reader_that_left_standard_output_is_no_fault_and_any_other_broken_pipe_is_one() {
        let mut out = StandardOutput(Broken);
        let json = serde_json::to_writer(&mut out, &1).map_err(io::Error::from);
        for left in [out.write_all(b"1"), writeln!(out, "1"), out.flush(), json] {
            let left = left.unwrap_err();
            assert_eq!(left.kind(), io::ErrorKind::BrokenPipe);
            assert_eq!(code(&anyhow::Error::new(Failure::Writing(left)).context("told on the way")), OK);
        }
        let other = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(code(&anyhow::Error::new(other()).context("nobody answers")), FAULT);
        assert_eq!(code(&Failure::Writing(other()).into()), FAULT);
    }

    #[test]
    fn a_wrong_use_is_told_apart_from_a_fault_whatever_was_said_of_it_on_the_way() {
        assert_eq!(code(&Usage::new(format!("{} is there", "x")).into()), USAGE);
        assert_eq!(code(&anyhow::Error::new(Usage::new("not both")).context("on the way")), USAGE);
        assert_eq!(code(&anyhow::Error::new(io::Error::other("why")).context(Usage::new("no key"))), USAGE);
    }

    #[test]
    fn a_settings_file_that_cannot_be_used_is_a_wrong_configuration() {
        let missing = || SettingsError::Unreadable { path: "x".to_owned(), error: io::ErrorKind::NotFound.into() };
        let broken = SettingsError::Broken { source_name: "x".to_owned(), problems: Vec::new() };
        assert_eq!(code(&anyhow::Error::new(missing()).context("no settings; name a file")), USAGE);
        assert_eq!((code(&missing().into()), code(&broken.into())), (USAGE, USAGE));
    }

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
