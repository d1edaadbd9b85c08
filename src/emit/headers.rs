//! The headers of a record: CloudEvents 1.0 in Kafka's binary mode (`ce_…`, `content-type`), and `attrsync-…` by which a subscriber
//! filters without parsing a value. A fact that isn't known has no header.
//!
//! - `ce_id` is `topic/partition/offset/kind` of the source record, kind being `accepted` or `rejected`. The event's own id is the
//!   sender's, who may send one twice or choose another's; `source` and `id` together must be unique for each record, and
//!   equal where a record is written a second time. The event's own id stands in the value.
//! - `attrsync-reason` is the event's reason and those of its rejected attributes, each once.
//! - `attrsync-verification` is `method/status` of the proof: `jwt/verified`, `none/anonymous`; the method alone before the proof was
//!   looked at.
//!
//! Facts that are read together share a header: librdkafka allocates each one by itself, and with sixteen of them headers
//! were a quarter of what an event cost.
//!
//! Header values in Kafka are bytes with a length: a line break in one can't begin another. Those that a sender chooses are
//! bounded, and hold no control character (CloudEvents 1.0 §3.1), which whoever makes headers of HTTP of them relies on. One that doesn't
//! fit is left out whole, since a cut one would say something else.

use super::{
    Channel, names,
    trace::{self, SpanId},
};
use crate::domain::{
    Record, Verdict, hex,
    verdict::{Status, Verification},
};

/// The most bytes of a header that a sender chooses.
const CHOSEN_BYTES: usize = 255;

/// A list of headers in one buffer, filled anew for each record.
#[derive(Default)]
pub struct Headers {
    bytes: Vec<u8>,
    /// Each header's name, and where its value ends in `bytes`.
    ends: Vec<(&'static str, usize)>,
}

impl Headers {
    /// Names and values, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |(name, end)| {
            let value = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            (*name, value)
        })
    }

    /// The bytes of all names and values.
    #[must_use]
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.ends.iter().map(|(name, _)| name.len()).sum::<usize>()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.bytes.extend_from_slice(value.as_bytes());
        self.ends.push((name, self.bytes.len()));
    }

    fn chosen(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| value.len() <= CHOSEN_BYTES && !has_control(value)) {
            self.text(name, value);
        }
    }

    /// One value of several parts.
    fn joined<const N: usize>(&mut self, name: &'static str, parts: [&str; N]) {
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part.as_bytes()));
        self.ends.push((name, self.bytes.len()));
    }

    /// The sender's `traceparent` with our span in place of its own.
    fn traceparent(&mut self, parent: &str, span: SpanId) {
        self.bytes.extend_from_slice(trace::before_span(parent).as_bytes());
        self.bytes.extend(span.into_iter().flat_map(hex::digits));
        self.bytes.push(b'-');
        self.bytes.extend(hex::digits(trace::known_flags(parent)));
        self.ends.push((names::TRACEPARENT, self.bytes.len()));
    }
}

/// Whether a text holds a control character (U+0000–001F, U+007F–009F), which no attribute of a CloudEvent may.
fn has_control(text: &str) -> bool {
    let low = text.bytes().any(|byte| byte < b' ' || byte == 0x7f);
    low || (!text.is_ascii() && text.chars().any(char::is_control))
}

/// Writes all headers of a record of this channel.
pub(super) fn write(headers: &mut Headers, channel: Channel, verdict: &Verdict<'_>, facts: &Facts<'_>) {
    headers.clear();
    cloud_event(headers, channel, verdict, facts);
    reasons(headers, verdict);
    headers.chosen(names::ORGANIZATION, verdict.organization);
    headers.chosen(names::EVENT_TYPE, verdict.event.kind);
    verification(headers, verdict.verification);
    if let Some(replay) = facts.replay {
        headers.text(names::REPLAY, replay);
    }
    if let Some((parent, state)) = trace::context(facts.record) {
        match facts.span {
            Some(span) => headers.traceparent(parent, span),
            None => headers.text(names::TRACEPARENT, parent),
        }
        if let Some(state) = state {
            headers.text(names::TRACESTATE, state);
        }
    }
}

/// What headers say beyond the verdict.
pub(super) struct Facts<'f> {
    /// `ce_source`.
    pub(super) source: &'f str,
    /// The id of the replay that judged.
    pub(super) replay: Option<&'f str>,
    /// Where the incoming record is: `topic/partition/offset`.
    pub(super) position: &'f str,
    /// Whom the record is about.
    pub(super) subject: Option<&'f str>,
    /// The incoming record.
    pub(super) record: &'f Record<'f>,
    /// Our span of it.
    pub(super) span: Option<SpanId>,
}

fn cloud_event(headers: &mut Headers, channel: Channel, verdict: &Verdict<'_>, facts: &Facts<'_>) {
    headers.text(names::SPECVERSION, "1.0");
    headers.joined(names::ID, [facts.position, "/", channel.name()]);
    headers.text(names::SOURCE, facts.source);
    headers.joined(names::TYPE, ["attrsync.verdict.", verdict.outcome.name()]);
    headers.text(names::TIME, verdict.event.time.text().as_str());
    headers.chosen(names::SUBJECT, facts.subject);
    headers.text(names::CONTENT_TYPE, "application/json");
}

fn verification(headers: &mut Headers, Verification { method, status, .. }: Verification<'_>) {
    match status.map(Status::name) {
        Some(status) => headers.joined(names::VERIFICATION, [method.name(), "/", status]),
        None => headers.text(names::VERIFICATION, method.name()),
    }
}

fn reasons(headers: &mut Headers, verdict: &Verdict<'_>) {
    let all = verdict.reason.into_iter().chain(verdict.rejected.iter().map(|refused| refused.reason));
    let begin = headers.bytes.len();
    for (at, reason) in all.clone().enumerate() {
        if all.clone().take(at).any(|earlier| earlier == reason) {
            continue;
        }
        if at > 0 {
            headers.bytes.push(b',');
        }
        headers.bytes.extend_from_slice(reason.code().as_bytes());
    }
    if headers.bytes.len() > begin {
        headers.ends.push((names::REASON, headers.bytes.len()));
    }
}
