//! The steps of one judgement, in the order of the path. What they say comes from the verdict; what the event offered beside
//! it from the stages' own functions, asked again with the same input.

use crate::{
    decode::{self, Context, UnverifiedEvent},
    domain::{Arena, EventTimeSource, Record, Snapshot, Stage, Verdict, verdict::User},
    replay::Defaults,
};

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It passed.
    Passed,
    /// It failed, and the event or an attribute with it.
    Failed,
    /// Something fell away.
    Dropped,
    /// A fact.
    Fact,
}

/// A part of what a step says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// Our own words, and names of the settings.
    Words(String),
    /// What the event brought along and the settings don't name: personal data perhaps, and not to be trusted on a terminal.
    Theirs(String),
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// `source`, then the stages.
    pub(super) stage: &'static str,
    /// How it went.
    pub(super) mark: Mark,
    /// What it says.
    pub(super) parts: Vec<Part>,
    /// The section of an RFC or the setting behind it.
    pub(super) rule: &'static str,
    /// What it means, and what to do about it.
    pub(super) more: Vec<String>,
}

/// One event and its verdict.
pub(super) struct Case<'c, 'a> {
    pub(super) arena: &'a Arena,
    pub(super) snapshot: &'a Snapshot,
    pub(super) defaults: &'c Defaults,
    /// The line or file that the record was read from.
    pub(super) line: &'c [u8],
    /// How many bytes it had beyond those.
    pub(super) skipped: usize,
    /// What it is where it is no record: an event, a token or a hash alone.
    pub(super) alone: &'static str,
    pub(super) record: Record<'a>,
    pub(super) verdict: Verdict<'a>,
}

/// Collects steps.
pub(super) struct Steps {
    stage: &'static str,
    steps: Vec<Step>,
}

impl Steps {
    pub(super) fn add(&mut self, mark: Mark, parts: impl IntoIterator<Item = Part>) {
        self.steps.push(Step {
            stage: self.stage,
            mark,
            parts: parts.into_iter().collect(),
            rule: "",
            more: Vec::new(),
        });
    }

    /// Tells the rule behind the step that was added last.
    pub(super) fn by(&mut self, rule: &'static str) {
        if let Some(step) = self.steps.last_mut() {
            step.rule = rule;
        }
    }

    /// Explains the step that was added last.
    pub(super) fn explain(&mut self, more: impl Into<String>) {
        if let Some(step) = self.steps.last_mut() {
            step.more.push(more.into());
        }
    }

    pub(super) fn say(&mut self, mark: Mark, words: impl Into<String>) {
        self.add(mark, [Part::Words(words.into())]);
    }
}

pub(super) fn words(words: impl Into<String>) -> Part {
    Part::Words(words.into())
}

pub(super) fn theirs(theirs: impl Into<String>) -> Part {
    Part::Theirs(theirs.into())
}

impl<'a> Case<'_, 'a> {
    /// Every step that was taken.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Steps { stage: "source", steps: Vec::new() };
        self.source(&mut steps);
        steps.stage = Stage::Decode.name();
        let context = Context { arena: self.arena, policy: self.snapshot.policy(), now: self.defaults.now };
        if let Ok(event) = decode::decode(&context, &self.record) {
            self.decode(&mut steps, &event);
            steps.stage = Stage::Verify.name();
            self.verify(&mut steps, &event);
        }
        if let Some(reason) = self.verdict.reason.filter(|reason| reason.stage() != Stage::Decide) {
            steps.say(Mark::Failed, reason.code());
            return steps.steps;
        }
        steps.stage = Stage::Decide.name();
        self.decide(&mut steps);
        steps.steps
    }

    fn source(&self, steps: &mut Steps) {
        let Record { position, headers, value, .. } = self.record;
        let bytes = |value: &[u8]| format!("{} bytes", value.len() + self.skipped);
        let bytes = value.map_or_else(|| "no value".to_owned(), bytes);
        let alone = value.is_some_and(|value| value.as_ptr() == self.line.as_ptr());
        let what = if alone { self.alone } else { "a record of kcat's" };
        let given = usize::from(self.defaults.event_type.is_some());
        let headers: Vec<_> = headers.iter().skip(given).map(|header| header.name).collect();
        let mut parts = vec![words(format!("{what}, {position}: {bytes}, "))];
        if headers.is_empty() {
            parts.push(words("no headers"));
        } else {
            parts.extend([words("headers "), theirs(headers.join(", "))]);
        }
        steps.add(Mark::Fact, parts);
        let time = self.verdict.event.time;
        let of = match (self.snapshot.policy().event_time, self.record.timestamp) {
            (_, Some(timestamp)) if timestamp == time => "the record's timestamp",
            (EventTimeSource::ReceivedAt, _) if time != self.defaults.now => "the envelope's receivedAt",
            _ => "the time of this judgement, since the record has no timestamp; --at sets another",
        };
        steps.say(Mark::Fact, format!("judged at {time}, {of}"));
        steps.by("policy.event_time");
        if let Some(event_type) = &self.defaults.event_type {
            steps.say(Mark::Fact, format!("of type {event_type}, unless it says another itself"));
        }
    }

    fn decode(&self, steps: &mut Steps, event: &UnverifiedEvent<'_>) {
        let kind = event.head.kind.unwrap_or_default();
        // The name of a widget is the sender's.
        let kind = if matches!(kind, "boot" | "identify") { words(kind) } else { theirs(kind) };
        steps.add(Mark::Passed, [words("JSON; an event of type "), kind, words(" with id "), theirs(event.head.id)]);
        steps.by("RFC 8259, limits");
        let mut parts = vec![words("outside of a token it names ")];
        parts.extend(named(&event.payload.user));
        steps.add(Mark::Fact, parts);
        let (attributes, companies) = (event.payload.attributes.len(), event.payload.membership.entries.len());
        steps.say(Mark::Fact, format!("beside any token it carries attributes: {attributes}, companies: {companies}"));
    }
}

/// Whom an event names: `userId 12345, email …`, or nobody.
pub(super) fn named(user: &User<'_>) -> Vec<Part> {
    let fields = [("userId", user.user_id), ("email", user.email), ("anonymousId", user.anonymous_id)];
    let given = fields.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    let parts: Vec<_> = given.flat_map(|(name, value)| [words(format!(", {name} ")), theirs(value)]).collect();
    match parts.split_first() {
        Some((Part::Words(first), rest)) => {
            std::iter::once(words(first.trim_start_matches(", "))).chain(rest.iter().cloned()).collect()
        }
        _ => vec![words("nobody")],
    }
}
