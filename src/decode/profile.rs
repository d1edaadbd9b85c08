//! What one object says of a user: the SDK's object, or a token's claims, folded by the same aliases. Until `verify` has
//! looked at it nothing in it is to be believed.

use super::{
    attributes::{Attribute, Attributes},
    companies::{self, Membership},
    fields::{UserField, user_field},
    findings::{Findings, is_absent},
};
use crate::domain::{Arena, Detail, Limits, Member, Object, Reason, Rejection, Value, verdict::User};

/// Where an object comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The event's payload: carries credentials and the visitor's id.
    Payload,
    /// A token's claims: carries registered claims, and neither of those.
    Claims,
}

/// What an object says of a user.
#[derive(Debug, Clone, Copy, Default)]
pub struct Profile<'a> {
    /// The tenant.
    pub tenant: Tenant<'a>,
    /// Whom it concerns.
    pub user: User<'a>,
    /// What it offers as proof; empty in claims.
    pub credentials: Credentials<'a>,
    /// The user's attributes, each name once, but for nested ones that a flat one shadows.
    pub attributes: &'a [Attribute<'a>],
    /// The companies.
    pub membership: Membership<'a>,
}

/// The organization that an object names.
#[derive(Clone, Copy, Default)]
pub struct Tenant<'a> {
    /// The slug.
    pub organization: Option<&'a str>,
    /// The app id.
    pub app_id: Option<&'a str>,
    /// One of them can't be read, or is given twice with different values: the event is rejected for that or for something
    /// else, and concerns nobody's tenant.
    pub unreadable: bool,
}

/// Says which of them is there: until they are looked up they are whatever a sender wrote.
impl std::fmt::Debug for Tenant<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { organization, app_id, unreadable } = self;
        f.debug_struct("Tenant")
            .field("organization", &organization.is_some())
            .field("app_id", &app_id.is_some())
            .field("unreadable", unreadable)
            .finish()
    }
}

/// What an event offers as proof. It never prints.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The token.
    pub token: Option<Value<'a>>,
    /// There is a second token that differs from the first.
    pub conflicting_tokens: bool,
    /// The hash of the identifier.
    pub user_hash: Option<Value<'a>>,
    /// The hash of the company's id, beside the company.
    pub(super) company_hash: Option<Value<'a>>,
}

impl Profile<'_> {
    /// How many attributes the limit is about: the user's and the companies'.
    #[must_use]
    pub fn attribute_count(&self) -> usize {
        self.attributes.len() + self.membership.entries.iter().map(|entry| entry.attributes.len()).sum::<usize>()
    }
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Folds `object`. The profile comes back whole also beside a rejection, which can then say whom it concerns.
pub fn fold<'a>(
    arena: &'a Arena,
    object: Object<'a>,
    origin: Origin,
    limits: &Limits,
) -> (Profile<'a>, Option<Rejection<'a>>) {
    let mut fold = Fold {
        findings: Findings::new(arena, limits),
        profile: Profile::default(),
        attributes: Attributes::new(arena, object.0.len().min(limits.attributes)),
        companies: companies::Source::default(),
        in_payload: origin == Origin::Payload,
    };
    for member in object.0 {
        fold.member(*member);
    }
    fold.finish()
}

struct Fold<'a, 'l> {
    findings: Findings<'a, 'l>,
    profile: Profile<'a>,
    attributes: Attributes<'a>,
    companies: companies::Source<'a>,
    in_payload: bool,
}

impl<'a> Fold<'a, '_> {
    fn member(&mut self, Member { name, value }: Member<'a>) {
        let Self { findings, profile: Profile { tenant, user, .. }, attributes, companies, .. } = self;
        match user_field(name) {
            UserField::Organization => {
                tenant.unreadable |= !findings.identity(&mut tenant.organization, value, "organization");
            }
            UserField::AppId => tenant.unreadable |= !findings.identity(&mut tenant.app_id, value, "appId"),
            UserField::UserId => _ = findings.identity(&mut user.user_id, value, "userId"),
            UserField::Email => _ = findings.identity(&mut user.email, value, "email"),
            UserField::Company => companies.company = Some(value),
            UserField::Companies => companies.companies = Some(value),
            UserField::Nested => attributes.container(findings, name, value),
            UserField::Attribute("roles") => attributes.alias(findings, "roles", as_list(findings.arena, value)),
            UserField::Attribute(canonical) => attributes.alias(findings, canonical, value),
            UserField::Custom => attributes.own(findings, name, value),
            UserField::Control => {}
            field if self.in_payload => self.payload_alone(field, name, value),
            // Claims carry no credentials and no visitor; registered claims are no attributes (RFC 7519 §4.1).
            _ => {}
        }
    }

    fn payload_alone(&mut self, field: UserField, name: &'a str, value: Value<'a>) {
        let Self { findings, profile: Profile { user, credentials, .. }, attributes, .. } = self;
        match field {
            UserField::AnonymousId => _ = findings.identity(&mut user.anonymous_id, value, "anonymousId"),
            UserField::UserHash => findings.credential(&mut credentials.user_hash, value, "userHash"),
            UserField::CompanyHash => findings.credential(&mut credentials.company_hash, value, "companyHash"),
            UserField::Token => token(findings, credentials, value),
            _ => attributes.own(findings, name, value),
        }
    }

    fn finish(self) -> (Profile<'a>, Option<Rejection<'a>>) {
        let Self { mut findings, mut profile, attributes, companies, .. } = self;
        let email = profile.user.email.is_some();
        profile.attributes = attributes.finish(&mut findings, |name| email && name == "email");
        profile.membership = companies::fold(&mut findings, companies, profile.credentials.company_hash);
        (profile, findings.finish(profile.membership.entries.len()))
    }
}

/// A text in `roles` is a list of one.
fn as_list<'a>(arena: &'a Arena, value: Value<'a>) -> Value<'a> {
    if matches!(value, Value::Text(_)) { Value::List(arena.slice(&[value])) } else { value }
}

/// Two different tokens are a failed proof rather than a fault of the payload: under `observe` the event may be accepted.
fn token<'a>(findings: &mut Findings<'a, '_>, credentials: &mut Credentials<'a>, value: Value<'a>) {
    if is_absent(value) {
        return;
    }
    let limit = findings.limits.token_bytes;
    if let Some(size) = value.as_text().map(str::len).filter(|size| *size > limit) {
        findings.note(Rejection::with(Reason::TokenTooLong, Detail::Limit { limit, size }));
    }
    credentials.conflicting_tokens |= credentials.token.is_some_and(|first| first != value);
    credentials.token = Some(value);
}
