//! What keeps a client from what it asks for, in words: what librdkafka complains of while no broker answers, and the right that the
//! client's user lacks where a broker refuses.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode as Code},
};

use super::failure::{is_silence, is_unreachable};

/// How long complaints that wait are listened to.
const LISTENING: Duration = Duration::from_millis(100);
/// How long a complaint says what is wrong now. librdkafka doesn't repeat one for half a minute, and then waits for its next try.
const FRESH: Duration = Duration::from_secs(60);
/// The most characters of a complaint: some quote what another server said.
const LONGEST: usize = 400;

/// What librdkafka complained of last, of all that says why a broker can't be reached or doesn't do what it is asked.
#[derive(Debug, Default)]
pub(crate) struct Complaints(Mutex<Option<(Instant, Complaint)>>);

/// An error of a client as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    code: Code,
    text: String,
}

/// In librdkafka's words, and what they don't say.
impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.text, lacking(self.code))
    }
}

impl Complaints {
    /// Hears what `ClientContext::error` is told.
    pub(crate) fn hear(&self, error: &KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code().filter(|code| tells_why(*code, reason)) else { return };
        // How long it took and how often it was tried is of no use.
        let text = reason.split(" (after ").next().unwrap_or(reason).trim_end_matches('.');
        let text = text.chars().filter(|char| !char.is_control()).take(LONGEST).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Complaint { code, text }));
    }

    /// The last one, unless it is of another time.
    pub(crate) fn last(&self) -> Option<Complaint> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(heard, _)| heard.elapsed() < FRESH).map(|(_, complaint)| complaint.clone())
    }
}

/// That all brokers are down follows from what was said of each. A line of OpenSSL alone comes beside librdkafka's own, which quotes
/// it behind what failed, and says what to do.
fn tells_why(code: Code, reason: &str) -> bool {
    let alone = reason.contains("SSL routines:") && !reason.contains("failed: ");
    !alone && code != Code::AllBrokersDown && (is_unreachable(code) || is_refusal(code))
}

/// Who hears complaints.
pub(crate) trait Complains: ConsumerContext {
    /// What was heard.
    fn complaints(&self) -> &Complaints;
}

/// The context of a client that only looks things up. Its log is for whoever asks for it.
#[derive(Debug, Default)]
pub(crate) struct LookingUp(Complaints);

impl ClientContext for LookingUp {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, "{message}");
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.hear(&error, reason);
    }
}

impl ConsumerContext for LookingUp {}

impl Complains for LookingUp {
    fn complaints(&self) -> &Complaints {
        &self.0
    }
}

/// Why something can't be looked up.
#[derive(Debug, thiserror::Error)]
pub struct LookUpError {
    error: KafkaError,
    complaint: Option<Complaint>,
}

impl LookUpError {
    /// What this client's look-up failed of. One that reads is polled by whoever reads, and has told its complaints there; of another
    /// they wait.
    pub(crate) fn of<C: Complains>(client: &BaseConsumer<C>, error: KafkaError) -> Self {
        let failed = Self::from(error);
        if !failed.is_silence() {
            return failed;
        }
        // One without a group has no assignment that it could tell.
        if !client.assignment().is_ok_and(|partitions| partitions.count() > 0) {
            let begun = Instant::now();
            while begun.elapsed() < LISTENING {
                let _ = client.poll(LISTENING / 20);
            }
        }
        Self { complaint: client.context().complaints().last(), ..failed }
    }

    /// The code of a broker, or librdkafka's own; none where there is no client to ask with. librdkafka waits for an answer as long
    /// as it may, also where what it has to ask first is refused.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match (&self.complaint, &self.error) {
            (Some(Complaint { code, .. }), _) if is_refusal(*code) => Some(*code),
            (_, KafkaError::AdminOp(code)) => Some(*code),
            (_, error) => error.rdkafka_error_code(),
        }
    }

    /// Whether nobody answered.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        self.code().is_some_and(is_silence)
    }

    /// The error itself.
    pub(crate) fn into_error(self) -> KafkaError {
        self.error
    }
}

impl From<KafkaError> for LookUpError {
    fn from(error: KafkaError) -> Self {
        Self { error, complaint: None }
    }
}

/// The complaint where there is one: it says what the error's code can't.
impl fmt::Display for LookUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.complaint {
            Some(complaint) => complaint.fmt(f),
            None => write!(f, "{}{}", self.error, self.code().map_or("", way_out)),
        }
    }
}

/// What to look at where an error's code is all that is known.
fn way_out(code: Code) -> &'static str {
    match code {
        // librdkafka complains of connections that fail, and not of those that are closed in good order.
        Code::BrokerTransportFailure => {
            "; a broker that asks for TLS closes a plain connection at once: see kafka.properties.security.protocol"
        }
        _ => lacking(code),
    }
}

/// Whether a broker refuses what the client's user has no right to.
pub(crate) fn is_refusal(code: Code) -> bool {
    !lacking(code).is_empty()
}

/// What is missing where a broker answers with this code, to be put behind what was refused; else nothing.
pub(crate) fn lacking(code: Code) -> &'static str {
    match code {
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::ClusterAuthorizationFailed => {
            "; the client's user lacks a right: docs/SECURITY.md lists them under Rights in Kafka"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> BaseConsumer<LookingUp> {
        rdkafka::ClientConfig::new().create_with_context(LookingUp::default()).unwrap()
    }

    #[test]
    fn of_all_complaints_the_last_one_that_says_why_is_kept() {
        let heard = Complaints::default();
        let told = |code, reason: &str| {
            heard.hear(&KafkaError::Global(code), reason);
            heard.last().map(|complaint| complaint.text).unwrap_or_default()
        };
        let handshake = "b: SSL handshake failed: error:0A000086:SSL routines::x: verify ssl.ca.location";
        assert_eq!(told(Code::SSL, handshake), handshake);
        assert_eq!(told(Code::SSL, "b: error:0A000086:SSL routines::certificate verify failed (after 9ms)"), handshake);
        assert_eq!(told(Code::AllBrokersDown, "1/1 brokers are down"), handshake);
        assert_eq!(told(Code::PartitionEOF, "the end"), handshake, "no complaint");
        let alert = "b: Receive failed: error:0A00045C:SSL routines::tlsv13 alert certificate required";
        assert_eq!(
            told(Code::SSL, alert),
            alert,
            "a certificate of ours that the broker wants comes after the handshake"
        );
        let login = "b: Invalid username\n or password (after 303ms in state AUTH_REQ)";
        assert_eq!(told(Code::Authentication, login), "b: Invalid username or password");
        assert_eq!(told(Code::Resolve, &"x".repeat(9_999)).len(), LONGEST);
    }

    #[test]
    fn a_look_up_that_nobody_answers_tells_why_with_a_group_and_without() {
        for group in [None, Some("group")] {
            let mut config = rdkafka::ClientConfig::new();
            config.set("bootstrap.servers", "127.0.0.1:9");
            group.into_iter().for_each(|group| _ = config.set("group.id", group));
            let client: BaseConsumer<LookingUp> = config.create_with_context(LookingUp::default()).unwrap();
            // On a busy machine a look-up may be over before it is refused.
            let begun = Instant::now();
            loop {
                let error = client.fetch_metadata(Some("events"), Duration::from_millis(500)).map(drop).unwrap_err();
                let failed = LookUpError::of(&client, error);
                assert!(failed.is_silence(), "{group:?}: {failed}");
                if failed.to_string().contains("Connection refused") {
                    break;
                }
                assert!(begun.elapsed() < FRESH, "{group:?}: {failed}");
            }
        }
    }

    #[test]
    fn a_look_up_that_is_refused_tells_the_right_and_not_what_was_heard_before() {
        let client = client();
        client.context().error(KafkaError::Global(Code::BrokerTransportFailure), "b: Connection refused");
        let refused = LookUpError::of(&client, KafkaError::MetadataFetch(Code::TopicAuthorizationFailed)).to_string();
        assert!(refused.contains("lacks a right") && !refused.contains("Connection"), "{refused}");
    }

    #[test]
    fn an_answer_that_does_not_come_since_the_group_may_not_be_seen_is_no_silence() {
        let client = client();
        let reason = "FindCoordinator response error: Group authorization failed.";
        client.context().error(KafkaError::Global(Code::GroupAuthorizationFailed), reason);
        let failed = LookUpError::of(&client, KafkaError::OffsetFetch(Code::OperationTimedOut));
        assert!(!failed.is_silence() && failed.code() == Some(Code::GroupAuthorizationFailed));
        assert!(failed.to_string().contains("Group authorization failed; the client's user lacks"), "{failed}");
    }
}
