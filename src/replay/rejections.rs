//! The events behind earlier rejections: which positions the rejected topic tells of, by headers alone. No value is parsed.

use std::collections::BTreeMap;

use super::{Failure, Work};
use crate::{
    domain::{Arena, Reason, Record},
    emit::names,
};

/// Which rejections.
#[derive(Debug, Clone, Default)]
pub struct WhichRejections {
    /// With any of these reasons, of the event or of an attribute; none: with any at all.
    pub reasons: Vec<Reason>,
    /// Of this organization, or of an event that was rejected before anybody knew whose it is.
    pub organization: Option<String>,
    /// Of events of this type, or of one that nobody knew.
    pub event_type: Option<String>,
}

/// Offsets by topic and partition.
pub type Positions = BTreeMap<(String, i32), Vec<i64>>;

/// The work over the rejected topic that finds the positions of events.
#[derive(Debug, Clone, Default)]
pub struct Rejections {
    which: WhichRejections,
    found: Positions,
}

impl Rejections {
    /// Looks for these.
    #[must_use]
    pub fn new(which: WhichRejections) -> Self {
        Self { which, found: Positions::new() }
    }

    /// What was found.
    #[must_use]
    pub fn found(self) -> Positions {
        self.found
    }

    fn is_wanted(&self, record: &Record<'_>) -> bool {
        let WhichRejections { reasons, organization, event_type } = &self.which;
        // What a rejection could not say, the next judgement may: the filter looks at its verdict.
        let may_be = |wanted: &Option<String>, name| match (wanted, record.header(name)) {
            (Some(wanted), Some(told)) => wanted == told,
            _ => true,
        };
        let told = record.header(names::REASON).unwrap_or_default();
        let with_reason = || told.split(',').any(|told| reasons.iter().any(|reason| reason.code() == told));
        // What a replay rejected was rejected before, or is of other settings: the live rejections are asked for.
        record.header(names::REPLAY).is_none()
            && may_be(organization, names::ORGANIZATION)
            && may_be(event_type, names::EVENT_TYPE)
            && (reasons.is_empty() || with_reason())
    }
}

impl Work for Rejections {
    fn record<'a>(&mut self, record: &Record<'a>, _: &'a Arena, _: &mut Vec<u8>) -> Result<(), Failure> {
        let told = record.header(names::ID).filter(|_| self.is_wanted(record)).and_then(position);
        if let Some((topic, partition, offset)) = told {
            self.found.entry((topic.to_owned(), partition)).or_default().push(offset);
        }
        Ok(())
    }

    fn add(&mut self, other: Self) {
        for (partition, offsets) in other.found {
            self.found.entry(partition).or_default().extend(offsets);
        }
    }
}

/// `topic/partition/offset/kind`. A topic's name has no slash.
fn position(id: &str) -> Option<(&str, i32, i64)> {
    let mut parts = id.split('/');
    let (topic, partition, offset) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (parts.next().is_some() && parts.next().is_none() && partition >= 0 && offset >= 0)
        .then_some((topic, partition, offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Header, Offset, Partition, Position};

    fn finds(which: &WhichRejections, headers: &[(&str, &str)]) -> bool {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| Header { name, value: Some(value.as_bytes()) }).collect();
        let position = Position { topic: "rejected", partition: Partition(0), offset: Offset(0) };
        let record = Record { position, timestamp: None, key: None, headers: &headers, value: None, line: None };
        let mut rejections = Rejections::new(which.clone());
        rejections.record(&record, &Arena::new(), &mut Vec::new()).unwrap();
        let found = rejections.found();
        assert!(found.is_empty() || found == Positions::from([(("events".to_owned(), 3), vec![41])]));
        !found.is_empty()
    }

    #[test]
    fn rejections_are_found_by_their_headers() {
        let told = [
            ("ce_id", "events/3/41/rejected"),
            ("attrsync-reason", "locked,not_an_option"),
            ("attrsync-organization", "acme"),
        ];
        let any = WhichRejections::default();
        assert!(finds(&any, &told));
        let locked = WhichRejections { reasons: vec![Reason::Locked], ..any.clone() };
        assert!(finds(&locked, &told));
        assert!(!finds(&WhichRejections { reasons: vec![Reason::WrongType], ..any.clone() }, &told));
        assert!(!finds(&WhichRejections { organization: Some("globex".to_owned()), ..any.clone() }, &told));
        assert!(!finds(&any, &[&told[..], &[("attrsync-replay", "one")]].concat()));
        let boots = WhichRejections { event_type: Some("boot".to_owned()), ..any.clone() };
        assert!(!finds(&boots, &[&told[..], &[("attrsync-event-type", "identify")]].concat()));
        assert!(finds(&boots, &[&told[..], &[("attrsync-event-type", "boot")]].concat()));
        let unknown = [("ce_id", "events/3/41/rejected"), ("attrsync-reason", "unknown_organization")];
        for which in [boots, WhichRejections { organization: Some("acme".to_owned()), ..any.clone() }] {
            assert!(finds(&which, &unknown), "whose it is, and of which type, the rejection could not say");
        }
        for id in ["events/3/41", "events/-1/41/rejected", "events/3/x/rejected", "a/b/3/41/rejected", ""] {
            assert!(!finds(&any, &[("ce_id", id)]), "{id}");
        }
    }
}
