//! The headers of emitted records: every name that is written, and what it says. docs/asyncapi.yaml describes them from here.

use crate::domain::verdict::REPLAY_HEADER;

/// A header that records carry.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Every record has it; the others are there where the fact is known.
    pub always: bool,
}

macro_rules! headers {
    ($($constant:ident $name:tt $when:ident $meaning:literal)*) => {
        $(#[doc = $meaning] pub const $constant: &str = $name;)*

        /// Every header that is written, in the order of writing.
        pub const ALL: &[Known] = &[$(Known { name: $name, meaning: $meaning, always: $when },)*];
    };
}

const ALWAYS: bool = true;
const WHERE_KNOWN: bool = false;

headers! {
    SPECVERSION "ce_specversion" ALWAYS
        "The version of CloudEvents."
    ID "ce_id" ALWAYS
        "Where the event came from, and on which topic this record tells of it: `topic/partition/offset/kind`, kind being `accepted` or `rejected`. Unique within `ce_source` while the input topic keeps its offsets, and equal where a record is written a second time."
    SOURCE "ce_source" ALWAYS
        "The deployment that judged."
    TYPE "ce_type" ALWAYS
        "What became of the event: `attrsync.verdict.accepted`, `attrsync.verdict.partial` or `attrsync.verdict.rejected`."
    TIME "ce_time" ALWAYS
        "Event time, RFC 3339 in UTC."
    SUBJECT "ce_subject" WHERE_KNOWN
        "Whom it is about, as in the record's key: `organization:userId`, else by e-mail, else by the visitor's id."
    CONTENT_TYPE "content-type" ALWAYS
        "The value is JSON."
    REASON "attrsync-reason" WHERE_KNOWN
        "The event's reason, then those of its rejected attributes, each once, separated by commas (docs/REASONS.md)."
    ORGANIZATION "attrsync-organization" WHERE_KNOWN
        "The organization's slug."
    EVENT_TYPE "attrsync-event-type" WHERE_KNOWN
        "`boot`, `identify` or a widget's initialization."
    VERIFICATION "attrsync-verification" ALWAYS
        "The kind of proof and how it ended, as in `jwt/verified` or `none/anonymous`; the kind alone before it was looked at."
    REPLAY REPLAY_HEADER WHERE_KNOWN
        "The id of the replay that judged the event again (docs/REPLAY.md). A live verdict has none."
    TRACEPARENT "traceparent" WHERE_KNOWN
        "The trace and span of the incoming record (W3C Trace Context), passed on where it is well-formed; the span is the worker's own where that exports one."
    TRACESTATE "tracestate" WHERE_KNOWN
        "The vendors' own parts of the trace, beside `traceparent` alone."
}
