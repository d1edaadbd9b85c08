//! The log of librdkafka's clients: passed on, without the lines that come again and again, and listened to where it is the only one
//! to tell.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rdkafka::{ClientConfig, config::RDKafkaLogLevel};

/// How long a line that comes again says nothing new. While a coordinator moves, librdkafka writes the same one a hundred times.
const SAME: Duration = Duration::from_secs(10);
/// How many lines are remembered, of all clients.
const LINES: usize = 64;

/// What the clients of this process told last. They tell the same of the same brokers, without their own names. The lock is held
/// for a look at these lines and no longer, and a client hardly tells any while all is well.
static REPEATS: Mutex<Repeats> = Mutex::new(Repeats(VecDeque::new()));

/// The log of one client of librdkafka.
#[derive(Default)]
pub(crate) struct Log {
    misled: AtomicBool,
}

impl Log {
    /// Passes a line on, under the target `librdkafka`. Its lines name brokers, topics and states, never a record's content nor a
    /// credential.
    pub(crate) fn pass_on(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        use RDKafkaLogLevel as Level;
        if misleads(level, facility) {
            self.misled.store(true, Relaxed);
        }
        if let Level::Debug = level {
            // Whoever asks for these wants all of them.
            tracing::debug!(target: "librdkafka", facility, "{message}");
            return;
        }
        let told = REPEATS.lock().unwrap_or_else(PoisonError::into_inner).tell(message, Instant::now());
        let Some(left_out) = told else { return };
        // Absent where it is none.
        let left_out = (left_out > 0).then_some(left_out);
        match level {
            Level::Emerg | Level::Alert | Level::Critical | Level::Error => {
                tracing::error!(target: "librdkafka", facility, left_out, "{message}");
            }
            Level::Warning => tracing::warn!(target: "librdkafka", facility, left_out, "{message}"),
            Level::Notice | Level::Info | Level::Debug => {
                tracing::info!(target: "librdkafka", facility, left_out, "{message}");
            }
        }
    }

    /// Whether the client was told of a partition's leader in a way that it may never get over: nobody leads it for a moment, as
    /// where a controller takes it from a broker that it did not hear of, and a broker said so in its answer (KIP-951). librdkafka
    /// can be left with a partition that it never asks for again (its issue 5430), and says that nowhere but in its log.
    pub(crate) fn misled(&self) -> bool {
        self.misled.load(Relaxed)
    }
}

/// Whether a line tells of a leader that the client can't place.
fn misleads(level: RDKafkaLogLevel, facility: &str) -> bool {
    level as i32 <= RDKafkaLogLevel::Warning as i32 && facility == "METADATAUPDATE"
}

/// Has a client tell its warnings, whatever the log is filtered by: [`Log::misled`] hears of some of them, and what isn't to be
/// logged is left out behind it.
pub(crate) fn hear_warnings(config: &mut ClientConfig) {
    if (config.log_level as i32) < RDKafkaLogLevel::Warning as i32 {
        config.set_log_level(RDKafkaLogLevel::Warning);
    }
}

/// The last lines that were passed on: several, since brokers and partitions complain in turn.
struct Repeats(VecDeque<Line>);

struct Line {
    text: String,
    told: Instant,
    left_out: u64,
}

impl Repeats {
    /// Whether this line is to be passed on: how often it was left out since it was the last time.
    fn tell(&mut self, text: &str, now: Instant) -> Option<u64> {
        let at = self.0.iter().position(|line| line.text == text);
        let known = at.and_then(|at| self.0.remove(at));
        let fresh = known.as_ref().is_some_and(|line| now.saturating_duration_since(line.told) < SAME);
        let left_out = known.as_ref().map_or(0, |line| line.left_out);
        let line = match known {
            Some(line) if fresh => Line { left_out: left_out + 1, ..line },
            Some(line) => Line { told: now, left_out: 0, ..line },
            None => Line { text: text.to_owned(), told: now, left_out: 0 },
        };
        if self.0.len() == LINES {
            self.0.pop_front();
        }
        self.0.push_back(line);
        (!fresh).then_some(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_tells_of_a_leader_that_nobody_knows_misleads_and_no_other_does() {
        assert!(misleads(RDKafkaLogLevel::Warning, "METADATAUPDATE"));
        assert!(!misleads(RDKafkaLogLevel::Debug, "METADATAUPDATE"), "which says what was updated");
        assert!(!misleads(RDKafkaLogLevel::Warning, "GETPID"));
    }

    #[test]
    fn a_client_tells_its_warnings_and_no_less_than_it_would() {
        for (level, told) in
            [(RDKafkaLogLevel::Error, RDKafkaLogLevel::Warning), (RDKafkaLogLevel::Debug, RDKafkaLogLevel::Debug)]
        {
            let mut config = ClientConfig::new();
            config.set_log_level(level);
            hear_warnings(&mut config);
            assert_eq!(config.log_level as i32, told as i32);
        }
    }

    #[test]
    fn a_line_that_comes_again_is_left_out_for_a_while_and_counted() {
        let (mut repeats, now) = (Repeats(VecDeque::new()), Instant::now());
        assert_eq!(repeats.tell("retrying", now), Some(0));
        assert_eq!(repeats.tell("another", now), Some(0));
        for line in ["retrying", "another", "retrying"] {
            assert_eq!(repeats.tell(line, now + SAME / 2), None, "{line}");
        }
        assert_eq!(repeats.tell("retrying", now + SAME), Some(2), "it still goes on");
        assert_eq!(repeats.tell("retrying", now + SAME), None);
        assert_eq!(repeats.tell("another", now + SAME), Some(1));
        (0..10 * LINES).for_each(|line| _ = repeats.tell(&line.to_string(), now));
        assert_eq!(repeats.0.len(), LINES);
    }
}
