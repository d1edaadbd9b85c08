//! What the rejected topic says of a verdict: everything but values. An attribute that was accepted is told in the accepted
//! topic alone; whoever may read about rejections need not be one who may read personal data beyond the identity.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::{
    Detail, Hint, Reason, Verdict,
    verdict::{EventHead, Outcome, Refused, Source, User, Verification},
};

/// A verdict without `attributes`, `unset` and `companies`. The names and their order are those of [`Verdict`]. (The value of
/// a rejected attribute stands in `rejected` where the operator's policy asks for it, and nowhere else.)
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RejectedView<'v, 'a> {
    verdict: Outcome,
    reason: Option<Reason>,
    event: EventHead<'a>,
    organization: Option<&'a str>,
    user: User<'a>,
    verification: Verification<'a>,
    rejected: &'v [Refused<'a>],
    dropped: &'v [Refused<'a>],
    detail: Option<Detail<'a>>,
    hint: Option<Hint>,
    source: Source<'a>,
    settings_version: u64,
}

impl<'v, 'a> RejectedView<'v, 'a> {
    pub(super) fn of(verdict: &'v Verdict<'a>) -> Self {
        Self {
            verdict: verdict.outcome,
            reason: verdict.reason,
            event: verdict.event,
            organization: verdict.organization,
            user: verdict.user,
            verification: verdict.verification,
            rejected: verdict.rejected,
            dropped: verdict.dropped,
            detail: verdict.detail,
            hint: verdict.hint,
            source: verdict.source,
            settings_version: verdict.settings_version,
        }
    }
}
