//! Names that can't be an attribute's, each with the reason. Which names they are is decode's to say: it would never find
//! an attribute of that name in an event.

use crate::{
    decode::fields::{self, CompanyField, UserField},
    domain::verdict::MEMBERSHIP,
};

/// Why this name can't be an attribute of users, where it can't.
pub(super) fn for_users(name: &str) -> Option<String> {
    if fields::configurable_for_users(name) {
        return None;
    }
    Some(match fields::user_field(name) {
        UserField::Organization | UserField::AppId => "names the tenant and is no attribute".to_owned(),
        UserField::UserId | UserField::AnonymousId => "is the user's identity and no attribute".to_owned(),
        UserField::Company | UserField::Companies => {
            "is the membership and no attribute; its lock is `locked` under [organizations.membership]".to_owned()
        }
        UserField::Nested => "holds attributes and is none itself; configure those in it".to_owned(),
        UserField::Control => "tells the SDK how to look and is no attribute".to_owned(),
        UserField::Registered => "is a claim about the token itself (RFC 7519 §4.1) and no attribute".to_owned(),
        UserField::Attribute(canonical) => other_spelling(canonical),
        UserField::Token | UserField::UserHash | UserField::CompanyHash | UserField::Email | UserField::Custom => {
            credential()
        }
    })
}

/// Why this name can't be an attribute of companies, where it can't.
pub(super) fn for_companies(name: &str) -> Option<String> {
    if fields::configurable_for_companies(name) {
        return None;
    }
    Some(match fields::company_field(name) {
        CompanyField::Id => "is the company's id and no attribute".to_owned(),
        CompanyField::Nested => "holds attributes and is none itself; configure those in it".to_owned(),
        CompanyField::Attribute(canonical) => other_spelling(canonical),
        CompanyField::Custom if name == MEMBERSHIP => {
            "is what a verdict calls the membership; give the attribute another name".to_owned()
        }
        CompanyField::Hash | CompanyField::Custom => credential(),
    })
}

fn other_spelling(canonical: &str) -> String {
    format!("is another spelling of `{canonical}`; configure that one")
}

fn credential() -> String {
    "is a credential, or looks like one, and is never emitted; give the attribute another name".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reserved_name_says_why() {
        for (name, why) in [
            ("organization", "tenant"),
            ("userId", "identity"),
            ("companies", "membership"),
            ("customFields", "holds attributes"),
            ("theme", "how to look"),
            ("exp", "RFC 7519"),
            ("role", "`roles`"),
            ("created_at", "`createdAt`"),
            ("featurebaseJwt", "credential"),
            ("User-Hash", "credential"),
        ] {
            assert!(for_users(name).is_some_and(|said| said.contains(why)), "{name}: {:?}", for_users(name));
        }
        for (name, why) in [
            ("id", "company's id"),
            ("size", "`companySize`"),
            ("companies", "membership"),
            ("company_hash", "credential"),
        ] {
            assert!(for_companies(name).is_some_and(|said| said.contains(why)), "{name}");
        }
        assert_eq!(for_users("plan").or(for_users("email")).or(for_companies("plan")), None);
    }
}
