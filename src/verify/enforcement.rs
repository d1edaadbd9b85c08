//! What happens without a proof that counts: the organization's enforcement decides.

use super::{Case, FailedProof, Settled, UNSEEN, Unproven, Verified};
use crate::domain::{
    Reason, Rejection,
    event_type::Kind,
    snapshot::Enforcement,
    verdict::{Status, User, Verification},
};

/// An event without a proof that counts. Under `observe` and `off` a failed proof counts as none: the event is judged as if
/// the credential weren't there.
pub(super) fn without_proof<'a>(
    case: &Case<'_, 'a>,
    failed: Option<FailedProof<'a>>,
) -> Result<Verified<'a>, Unproven<'a>> {
    let enforcement = case.organization.enforcement_under(case.context.policy);
    if let (Enforcement::Enforced, Some(FailedProof { method, rejection })) = (enforcement, failed) {
        let verification = Verification { method, status: Some(Status::Failed), ..UNSEEN };
        return Err(unproven(case, verification, rejection));
    }
    let status = match claim(case) {
        Claim::Identity => Status::Unverified,
        Claim::Visitor => Status::Anonymous,
        Claim::Nobody => return Err(refused(case, Status::Anonymous, Reason::MissingIdentity)),
    };
    if status == Status::Unverified && enforcement == Enforcement::Enforced {
        return Err(refused(case, status, Reason::ProofMissing));
    }
    let missing = (status == Status::Unverified).then_some(Reason::ProofMissing);
    let reason = failed.map(|failed| failed.rejection.reason).or(missing);
    let would_reject = reason.filter(|_| enforcement == Enforcement::Observe);
    Ok(accepted(case, Verification { status: Some(status), would_reject, ..UNSEEN }))
}

/// What an event without proof claims.
enum Claim {
    /// To come from a user.
    Identity,
    /// To come from a visitor.
    Visitor,
    /// Nothing, where it has to.
    Nobody,
}

fn claim(case: &Case<'_, '_>) -> Claim {
    let User { user_id, email, anonymous_id } = case.event.payload.user;
    if user_id.is_some() || email.is_some() {
        Claim::Identity
    } else if case.event.kind != Kind::Identify || anonymous_id.is_some() {
        Claim::Visitor
    } else {
        Claim::Nobody
    }
}

fn refused<'a>(case: &Case<'_, 'a>, status: Status, reason: Reason) -> Unproven<'a> {
    unproven(case, Verification { status: Some(status), ..UNSEEN }, reason.into())
}

fn unproven<'a>(case: &Case<'_, 'a>, verification: Verification<'a>, rejection: Rejection<'a>) -> Unproven<'a> {
    Unproven { organization: Some(case.organization), user: case.event.payload.user, verification, rejection }
}

fn accepted<'a>(case: &Case<'_, 'a>, verification: Verification<'a>) -> Verified<'a> {
    Verified {
        organization: case.organization,
        user: case.event.payload.user,
        verification,
        signed: None,
        unsigned: case.event.payload,
        stray_email: None,
        stray_user_id: None,
        time: case.event.head.time,
        _settled: Settled,
    }
}
