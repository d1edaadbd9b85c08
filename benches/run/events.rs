//! Events that follow from their numbers: the n-th is always the same one, and what it is made for follows from n alone.

use attrsync::domain::verdict::Outcome;

/// When the first event came in.
pub(crate) const BEGIN_MS: i64 = 1_795_341_600_000;
/// How many come in a millisecond.
const EVENTS_PER_MS: i64 = 20;

/// A kind of input.
pub(crate) trait Events {
    /// What its topic is named after; other events need another name.
    fn name(&self) -> String;

    /// The settings file that they are judged by.
    fn settings(&self) -> String;

    /// What the n-th event is made for.
    fn outcome(&self, number: i64) -> Outcome;

    /// The reason that its verdict gives first.
    fn reason(&self, number: i64) -> Option<&'static str> {
        match self.outcome(number) {
            Outcome::Accepted => None,
            Outcome::Partial => Some("locked"),
            Outcome::Rejected => Some("signature_invalid"),
        }
    }

    /// The n-th event.
    fn event(&mut self, number: i64) -> Vec<u8>;
}

/// When the n-th event came in.
pub(crate) fn time_ms(number: i64) -> i64 {
    BEGIN_MS + number / EVENTS_PER_MS
}

/// The first events of a kind over and over again, each made once: where millions are needed, or many a second.
pub(crate) struct Repeated<E> {
    of: E,
    made: Vec<Vec<u8>>,
}

impl<E: Events> Repeated<E> {
    pub(crate) fn new(mut of: E, different: i64) -> Self {
        let made = (0..different).map(|number| of.event(number)).collect();
        Self { of, made }
    }

    fn at(&self, number: i64) -> usize {
        usize::try_from(number).unwrap_or(0) % self.made.len()
    }

    /// The n-th event, as it was made.
    pub(crate) fn value(&self, number: i64) -> &[u8] {
        &self.made[self.at(number)]
    }
}

impl<E: Events> Events for Repeated<E> {
    fn name(&self) -> String {
        format!("{}-repeated", self.of.name())
    }

    fn settings(&self) -> String {
        self.of.settings()
    }

    fn outcome(&self, number: i64) -> Outcome {
        self.of.outcome(i64::try_from(self.at(number)).unwrap_or(0))
    }

    fn reason(&self, number: i64) -> Option<&'static str> {
        self.of.reason(i64::try_from(self.at(number)).unwrap_or(0))
    }

    fn event(&mut self, number: i64) -> Vec<u8> {
        self.value(number).to_vec()
    }
}
