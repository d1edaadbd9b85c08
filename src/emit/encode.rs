//! A verdict to the one or two records that tell it. Pure: the same verdict gives the same bytes. Buffers are kept from one
//! verdict to the next, so that encoding allocates nothing once they have grown.
//!
//! What can't be told in [`Encoder`]'s limit of bytes for a record is told as a rejection that says so (`record_too_large`
//! with the limit and the size): the broker would refuse the record, and a sender must not be able to stop a partition by
//! an event that swells on its way.

use super::{
    headers::{self, Facts, Headers},
    json, key,
    trace::SpanId,
    view::RejectedView,
};
use crate::domain::{
    Detail, Reason, Record, Verdict,
    verdict::{Attributes, EventHead, Outcome, User},
};

/// One of the two ways out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// The accepted topic.
    Accepted,
    /// The rejected topic.
    Rejected,
}

impl Channel {
    /// The ways on which a verdict of this outcome is told.
    #[must_use]
    pub fn of(outcome: Outcome) -> &'static [Self] {
        match outcome {
            Outcome::Accepted => &[Self::Accepted],
            Outcome::Partial => &[Self::Accepted, Self::Rejected],
            Outcome::Rejected => &[Self::Rejected],
        }
    }

    /// The name, as it stands in `ce_id`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

/// Encodes verdicts, one at a time.
pub struct Encoder {
    source: String,
    replay: Option<String>,
    max_bytes: usize,
    key: Vec<u8>,
    /// Where the record is, as headers say it.
    position: String,
    records: [Buffers; 2],
}

#[derive(Default)]
struct Buffers {
    value: Vec<u8>,
    headers: Headers,
}

/// The records of one verdict, in the encoder's buffers.
pub struct Encoded<'e> {
    /// The verdict's outcome as it is told.
    pub outcome: Outcome,
    /// The event's reason as it is told.
    pub reason: Option<Reason>,
    key: &'e [u8],
    records: &'e [Buffers; 2],
}

/// One record to be sent.
#[derive(Clone, Copy)]
pub struct Output<'e> {
    /// On which way.
    pub channel: Channel,
    /// Who it is about.
    pub key: &'e [u8],
    /// All headers.
    pub headers: &'e Headers,
    /// The JSON value.
    pub value: &'e [u8],
}

impl<'e> Encoded<'e> {
    /// The records to send, the accepted one first.
    pub fn outputs(&self) -> impl Iterator<Item = Output<'e>> {
        let key = self.key;
        let channels = Channel::of(self.outcome).iter().zip(self.records);
        channels.map(move |(channel, buffers)| Output {
            channel: *channel,
            key,
            headers: &buffers.headers,
            value: &buffers.value,
        })
    }
}

impl Encoder {
    /// An encoder whose records name `source` as their `ce_source` and are at most `max_bytes` long.
    #[must_use]
    pub fn new(source: String, max_bytes: usize) -> Self {
        Self { source, replay: None, max_bytes, key: Vec::new(), position: String::new(), records: Default::default() }
    }

    /// The same, whose records say that they are of this replay. Their `ce_source` says so, too: with an event's own position as
    /// `ce_id` a replayed verdict would pass for the live one.
    #[must_use]
    pub fn of_replay(self, id: &str) -> Self {
        Self { source: format!("{}/replay/{id}", self.source), replay: Some(id.to_owned()), ..self }
    }

    /// Encodes the verdict of a record. Fails only where a value in the verdict isn't JSON, which decoding rules out.
    pub fn encode(&mut self, verdict: &Verdict<'_>, record: &Record<'_>) -> Result<Encoded<'_>, serde_json::Error> {
        self.encode_within(None, verdict, record)
    }

    /// The same, within a span of ours, which the emitted records name as their parent.
    pub fn encode_within(
        &mut self,
        span: Option<SpanId>,
        verdict: &Verdict<'_>,
        record: &Record<'_>,
    ) -> Result<Encoded<'_>, serde_json::Error> {
        let size = self.write(span, verdict, record)?;
        if size > self.max_bytes {
            let id = record.position.to_string();
            let told = too_large(verdict, &id, Detail::Limit { limit: self.max_bytes, size });
            self.write(span, &told, record)?;
            return Ok(self.encoded(&told));
        }
        Ok(self.encoded(verdict))
    }

    fn encoded(&self, told: &Verdict<'_>) -> Encoded<'_> {
        Encoded { outcome: told.outcome, reason: told.reason, key: &self.key, records: &self.records }
    }

    /// Fills the buffers and says how long the longest record is.
    fn write(
        &mut self,
        span: Option<SpanId>,
        verdict: &Verdict<'_>,
        record: &Record<'_>,
    ) -> Result<usize, serde_json::Error> {
        let named = key::write(verdict, &mut self.key);
        let subject = std::str::from_utf8(&self.key).ok().filter(|_| named);
        self.position.clear();
        record.position.push_to(&mut self.position);
        let (source, position, replay) = (self.source.as_str(), self.position.as_str(), self.replay.as_deref());
        let facts = Facts { source, replay, position, subject, record, span };
        let mut longest = 0;
        for (channel, buffers) in Channel::of(verdict.outcome).iter().zip(&mut self.records) {
            buffers.value.clear();
            match channel {
                Channel::Accepted => json::write(&mut buffers.value, verdict)?,
                Channel::Rejected => json::write(&mut buffers.value, &RejectedView::of(verdict))?,
            }
            headers::write(&mut buffers.headers, *channel, verdict, &facts);
            longest = longest.max(self.key.len() + buffers.value.len() + buffers.headers.size());
        }
        Ok(longest)
    }
}

/// The rejection in place of a verdict that can't be told whole. Of what the sender chose it keeps nothing.
fn too_large<'a>(verdict: &Verdict<'a>, id: &'a str, detail: Detail<'a>) -> Verdict<'a> {
    Verdict {
        outcome: Outcome::Rejected,
        reason: Some(Reason::RecordTooLarge),
        event: EventHead { id, kind: None, time: verdict.event.time },
        user: User::default(),
        attributes: Attributes::default(),
        unset: &[],
        companies: None,
        rejected: &[],
        dropped: &[],
        detail: Some(detail),
        hint: None,
        ..*verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        EventTime, Header, Offset, Partition, Position, Value,
        verdict::{Method, Refused, SetAttribute, Source, Status, Verification},
    };

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const POSITION: Position<'static> = Position { topic: "events", partition: Partition(3), offset: Offset(41) };

    fn record<'a>(headers: &'a [Header<'a>]) -> Record<'a> {
        let timestamp = Some(EventTime::from_millis(1_795_341_600_000));
        Record { position: POSITION, timestamp, key: None, headers, value: Some(b"{}"), line: None }
    }

    fn partial() -> Verdict<'static> {
        const PLAN: SetAttribute<'_> =
            SetAttribute { name: "plan", value: Value::Text("the-accepted-value"), verified: true };
        const ROLES: Refused<'_> = refused("roles", Reason::Locked);
        const EMAIL: Refused<'_> = refused("email", Reason::Locked);
        const AGE: Refused<'_> = refused("age", Reason::WrongType);
        Verdict {
            outcome: Outcome::Partial,
            reason: None,
            event: EventHead { id: "e-1", kind: Some("identify"), time: EventTime::from_millis(1_795_341_600_000) },
            organization: Some("acme"),
            user: User { user_id: Some("12345"), email: Some("user@example.com"), anonymous_id: None },
            verification: Verification {
                method: Method::Jwt,
                status: Some(Status::Verified),
                key_id: Some("2026-10"),
                would_reject: None,
            },
            attributes: Attributes(&[PLAN]),
            unset: &[],
            companies: None,
            rejected: &[ROLES, EMAIL, AGE],
            dropped: &[],
            detail: None,
            hint: None,
            source: Source::of(POSITION, Some(EventTime::from_millis(1_795_341_600_000))),
            settings_version: 7,
        }
    }

    const fn refused(attribute: &'static str, reason: Reason) -> Refused<'static> {
        Refused { attribute, company: None, position: None, reason, hint: None, value: None }
    }

    fn encoder(max_bytes: usize) -> Encoder {
        Encoder::new("/attrsync/test".to_owned(), max_bytes)
    }

    /// Channel, key, headers and value of each record, as a person reads them.
    fn told(verdict: &Verdict<'_>, record: &Record<'_>, max_bytes: usize) -> Vec<String> {
        let mut encoder = encoder(max_bytes);
        let encoded = encoder.encode(verdict, record).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(Vec::from(bytes)).unwrap();
        let tell = |output: Output<'_>| {
            let headers = output.headers.iter().map(|(name, value)| format!("{name}: {}\n", text(value)));
            format!("{}\n{}\n{}", text(output.key), headers.collect::<String>(), text(output.value))
        };
        encoded.outputs().map(tell).collect()
    }

    fn header<'a>(name: &'a str, value: &'a str) -> Header<'a> {
        Header { name, value: Some(value.as_bytes()) }
    }

    #[test]
    fn a_partial_verdict_is_told_whole_to_the_accepted_and_without_values_to_the_rejected_topic() {
        let headers = [header("traceparent", TRACE), header("tracestate", "vendor=1"), header("other", "x")];
        let told = told(&partial(), &record(&headers), 10_000);
        insta::assert_snapshot!(told.join("\n\n"));
        assert!(!told[1].contains("the-accepted-value"));
    }

    #[test]
    fn within_a_span_of_ours_the_records_name_it_as_their_parent_in_the_senders_trace() {
        let headers = [header("traceparent", TRACE), header("tracestate", "vendor=1")];
        let mut encoder = encoder(10_000);
        let record = record(&headers);
        let ours = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        let encoded = encoder.encode_within(Some(ours), &partial(), &record).unwrap();
        for output in encoded.outputs() {
            let named =
                |wanted| output.headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_vec());
            let parent = named("traceparent").map(|value| String::from_utf8(value).unwrap());
            assert_eq!(parent.as_deref(), Some("00-4bf92f3577b34da6a3ce929d0e0e4736-0123456789abcdef-01"));
            assert_eq!(named("tracestate").as_deref(), Some(&b"vendor=1"[..]));
        }
    }

    #[test]
    fn an_event_that_names_nobody_is_keyed_by_its_source_and_has_no_subject() {
        for verdict in [Verdict { organization: None, ..partial() }, Verdict { user: User::default(), ..partial() }] {
            let reason = Some(Reason::MalformedJson);
            let verdict = Verdict { outcome: Outcome::Rejected, reason, rejected: &[], ..verdict };
            let told = told(&verdict, &record(&[]), 10_000);
            assert_eq!(told.len(), 1);
            assert!(told[0].starts_with("events/3\n") && !told[0].contains("ce_subject"), "{}", told[0]);
            assert!(told[0].contains("attrsync-reason: malformed_json\n"));
        }
    }

    #[test]
    fn an_event_that_is_rejected_for_its_attributes_is_found_by_their_reasons_too() {
        let reason = Some(Reason::AttributeRejected);
        let verdict = Verdict { outcome: Outcome::Rejected, reason, ..partial() };
        let told = told(&verdict, &record(&[]), 10_000);
        assert!(told[0].contains("attrsync-reason: attribute_rejected,locked,wrong_type\n"), "{}", told[0]);
    }

    #[test]
    fn the_key_is_the_user_else_the_email_else_the_visitor() {
        let user = partial().user;
        let anonymous_id = Some("visitor");
        let by = |user| told(&Verdict { user, ..partial() }, &record(&[]), 10_000)[0].lines().next().map(str::to_owned);
        assert_eq!(by(user).as_deref(), Some("acme:12345"));
        assert_eq!(by(User { user_id: None, anonymous_id, ..user }).as_deref(), Some("acme:user@example.com"));
        assert_eq!(by(User { user_id: None, email: None, anonymous_id }).as_deref(), Some("acme:visitor"));
    }

    #[test]
    fn what_a_sender_chooses_is_left_out_of_the_headers_when_it_is_too_long() {
        let long = "x".repeat(300);
        let user = User { user_id: Some(&long), ..User::default() };
        let verdict = Verdict { user, event: EventHead { kind: Some(&long), ..partial().event }, ..partial() };
        let told = told(&verdict, &record(&[]), 10_000);
        assert!(!told[0].contains("ce_subject") && !told[0].contains("attrsync-event-type"));
        assert!(told[0].starts_with(&format!("acme:{long}\n")), "the key is whole");
    }

    #[test]
    fn no_header_holds_a_control_character_of_a_senders() {
        for id in ["a\r\nx-admin: 1", "a\u{7f}", "a\u{85}"] {
            let verdict = Verdict { user: User { user_id: Some(id), ..User::default() }, ..partial() };
            let told = told(&verdict, &record(&[]), 10_000);
            assert!(!told[0].contains("ce_subject") && told[0].starts_with(&format!("acme:{id}\n")), "{id:?}");
        }
        let verdict = Verdict { user: User { user_id: Some("é"), ..User::default() }, ..partial() };
        assert!(told(&verdict, &record(&[]), 10_000)[0].contains("ce_subject: acme:é"));
    }

    #[test]
    fn a_verdict_too_large_for_a_record_becomes_a_rejection_that_says_so() {
        let value = "v".repeat(2_000);
        let attributes = [SetAttribute { name: "plan", value: Value::Text(&value), verified: true }];
        let verdict = Verdict { attributes: Attributes(&attributes), ..partial() };
        let mut encoder = encoder(2_000);
        let record = record(&[]);
        let encoded = encoder.encode(&verdict, &record).unwrap();
        assert_eq!((encoded.outcome, encoded.reason), (Outcome::Rejected, Some(Reason::RecordTooLarge)));
        let outputs: Vec<_> = encoded.outputs().collect();
        assert_eq!((outputs.len(), outputs[0].channel), (1, Channel::Rejected));
        let value: serde_json::Value = serde_json::from_slice(outputs[0].value).unwrap();
        assert_eq!(value["detail"]["limit"], 2_000);
        assert_eq!(value["event"]["id"], "events/3/41");
        assert_eq!(value["user"]["userId"], serde_json::Value::Null);
        assert_eq!(value["organization"], "acme");
    }

    #[test]
    fn buffers_carry_nothing_from_one_verdict_to_the_next() {
        let mut encoder = encoder(10_000);
        let record = record(&[]);
        let bytes = |encoded: &Encoded<'_>| -> Vec<Vec<u8>> {
            encoded.outputs().map(|output| [output.key, output.value].concat()).collect()
        };
        let fresh = bytes(&encoder.encode(&partial(), &record).unwrap());
        let other = Verdict { outcome: Outcome::Rejected, organization: None, ..partial() };
        assert_ne!(bytes(&encoder.encode(&other, &record).unwrap()), fresh);
        assert_eq!(bytes(&encoder.encode(&partial(), &record).unwrap()), fresh);
    }
}
