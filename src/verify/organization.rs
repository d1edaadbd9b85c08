//! Which organization an event belongs to, and whether a token's claims agree.

use crate::{
    decode::profile::Tenant,
    domain::{Organization, Reason, Rejection, Snapshot},
};

/// The organization that `appId` and `organization` name; both given must agree.
pub(super) fn find<'a>(tenant: &Tenant<'a>, snapshot: &'a Snapshot) -> Result<&'a Organization, Rejection<'a>> {
    let none = |unusable, field| {
        Rejection::at(if unusable { Reason::SettingsUnusable } else { Reason::UnknownOrganization }, field)
    };
    let by_slug = tenant.organization.map(|slug| {
        snapshot.by_slug(slug).ok_or_else(|| none(snapshot.unusable().slugs.contains(slug), "organization"))
    });
    let by_app_id = tenant.app_id.map(|app_id| {
        snapshot.by_app_id(app_id).ok_or_else(|| none(snapshot.unusable().app_ids.contains(app_id), "appId"))
    });
    let (by_slug, by_app_id) = (by_slug.transpose()?, by_app_id.transpose()?);
    match (by_slug, by_app_id) {
        (Some(one), Some(other)) if one.slug != other.slug => Err(Reason::OrganizationMismatch.into()),
        (Some(organization), _) | (None, Some(organization)) => Ok(organization),
        (None, None) => Err(Reason::MissingOrganization.into()),
    }
}

/// The organization of an event that decode rejects, for those who look after it: the one that verify would have found.
#[must_use]
pub fn told<'a>(tenant: &Tenant<'a>, snapshot: &'a Snapshot) -> Option<&'a Organization> {
    find(tenant, snapshot).ok().filter(|_| !tenant.unreadable)
}

/// Claims that name an organization name this one.
pub(super) fn agrees(tenant: &Tenant<'_>, organization: &Organization) -> bool {
    tenant.organization.is_none_or(|slug| slug == organization.slug.as_str())
        && tenant.app_id.is_none_or(|app_id| Some(app_id) == organization.app_id.as_deref())
}
