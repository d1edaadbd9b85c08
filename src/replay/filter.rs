//! Which events a person asked for. Only a verdict says whose event it is, so that it is asked after the judgement.

use serde::{Deserialize, Serialize};

use crate::domain::{EventTime, Verdict};

/// Which events are asked for: those for which all that is said holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// Of this organization, by its slug.
    pub organization: Option<String>,
    /// Of this type.
    pub event_type: Option<String>,
    /// About this user: an id, an e-mail or a visitor's id.
    pub user: Option<String>,
    /// Of this time and later. In a topic the broker says which records these are, and the plan of a replay names them.
    #[serde(skip)]
    pub from: Option<EventTime>,
    /// Before this time.
    #[serde(skip)]
    pub to: Option<EventTime>,
}

impl Filter {
    /// Whether a verdict is about such an event.
    #[must_use]
    pub fn takes(&self, verdict: &Verdict<'_>) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        let user = [verdict.user.user_id, verdict.user.email, verdict.user.anonymous_id];
        let time = verdict.event.time;
        is(&self.organization, verdict.organization)
            && is(&self.event_type, verdict.event.kind)
            && (self.user.is_none() || user.into_iter().any(|known| known.is_some() && is(&self.user, known)))
            && self.from.is_none_or(|from| from <= time)
            && self.to.is_none_or(|to| time < to)
    }
}
