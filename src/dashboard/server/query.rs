//! What a request may ask for: parameters are read strictly, and what isn't known is refused, so that a misspelt filter can't show
//! everything.

use axum::http::StatusCode;
use serde::Deserialize;

use super::problem::Problem;
use crate::{
    dashboard::board::{
        filter::{Filter, Who},
        newest::Turn,
    },
    domain::verdict::Outcome,
};

/// Rows of an answer, where nobody says how many.
pub(super) const ROWS: usize = 50;
/// The most rows of one answer.
pub(super) const MOST_ROWS: usize = 200;
/// Organizations of an answer, where nobody says how many.
pub(super) const ORGANIZATIONS: usize = 100;
/// The most organizations of one answer.
pub(super) const MOST_ORGANIZATIONS: usize = 1_000;

/// Which verdicts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FilterQuery {
    verdict: Option<String>,
    organization: Option<String>,
    reason: Option<String>,
    attribute: Option<String>,
    user: Option<String>,
    event_type: Option<String>,
}

/// Which page of which verdicts. (serde's `flatten` and `deny_unknown_fields` exclude each other.)
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerdictsQuery {
    verdict: Option<String>,
    organization: Option<String>,
    reason: Option<String>,
    attribute: Option<String>,
    user: Option<String>,
    event_type: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

/// Which organizations.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganizationsQuery {
    #[serde(default)]
    pub(super) search: String,
    limit: Option<usize>,
}

/// Nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoQuery {}

impl FilterQuery {
    /// The filter.
    pub(super) fn filter(self) -> Result<Filter, Problem> {
        // An empty parameter is what a form sends for a field that nobody filled.
        let text = |text: Option<String>| text.filter(|text| !text.is_empty()).map(String::into_boxed_str);
        let refused = |detail| Problem::new(StatusCode::BAD_REQUEST, detail);
        Ok(Filter {
            verdict: text(self.verdict).map(|name| outcome(&name)).transpose()?,
            organization: text(self.organization),
            reason: text(self.reason),
            attribute: text(self.attribute),
            event_type: text(self.event_type),
            user: text(self.user)
                .filter(|user| !user.trim().is_empty())
                .map(|user| Who::read(&user))
                .transpose()
                .map_err(refused)?,
        })
    }
}

impl VerdictsQuery {
    /// How many rows.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        limit(self.limit, (ROWS, MOST_ROWS))
    }

    /// Before which place.
    pub(super) fn before(&self) -> Result<Option<Turn>, Problem> {
        let refused =
            |()| Problem::new(StatusCode::BAD_REQUEST, "before must be `next` of another page, as it was answered");
        let text = self.before.as_deref().filter(|text| !text.is_empty());
        text.map(|text| text.parse().map_err(refused)).transpose()
    }

    /// The filter.
    pub(super) fn filter(self) -> Result<Filter, Problem> {
        let Self { verdict, organization, reason, attribute, user, event_type, .. } = self;
        FilterQuery { verdict, organization, reason, attribute, user, event_type }.filter()
    }
}

impl OrganizationsQuery {
    /// How many rows.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        limit(self.limit, (ORGANIZATIONS, MOST_ORGANIZATIONS))
    }
}

fn limit(asked: Option<usize>, (default, most): (usize, usize)) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(default);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::new(StatusCode::BAD_REQUEST, format!("limit is {limit}, and must be from 1 to {most}")))
}

fn outcome(name: &str) -> Result<Outcome, Problem> {
    let refused = || Problem::new(StatusCode::BAD_REQUEST, "verdict must be accepted, partial or rejected");
    Outcome::named(name).ok_or_else(refused)
}
