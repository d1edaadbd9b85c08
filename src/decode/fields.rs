//! What each name of an SDK object means: the tables of aliases, credentials and control fields, for users and companies.
//! Names are compared exactly; a name that differs in one letter is an attribute like any other.

use super::names::Table;
use crate::domain::verdict::MEMBERSHIP;

/// The meaning of a member of the SDK's object, or of a token's claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserField {
    /// The tenant's slug.
    Organization,
    /// The tenant's app id.
    AppId,
    /// A token.
    Token,
    /// The HMAC of the identifier.
    UserHash,
    /// The HMAC of the company's id, beside the company.
    CompanyHash,
    /// The user's id.
    UserId,
    /// The user's e-mail address.
    Email,
    /// The visitor's id.
    AnonymousId,
    /// One company.
    Company,
    /// A list of companies.
    Companies,
    /// An object of further attributes.
    Nested,
    /// How the widget looks: falls away.
    Control,
    /// A claim of the token itself (RFC 7519 §4.1): falls away inside a token.
    Registered,
    /// An attribute of this name.
    Attribute(&'static str),
    /// An attribute of its own name.
    Custom,
}

/// The meaning of a member of the SDK's object.
#[must_use]
pub fn user_field(name: &str) -> UserField {
    static TABLE: Table<48, UserField> = Table::of(USER_FIELDS);
    TABLE.get(name).unwrap_or(UserField::Custom)
}

const USER_FIELDS: [(&str, UserField); 48] = {
    use UserField::{
        AnonymousId, AppId, Attribute, Companies, Company, CompanyHash, Control, Email, Nested, Organization,
        Registered, Token, UserHash, UserId,
    };
    [
        ("organization", Organization),
        ("appId", AppId),
        ("app_id", AppId),
        ("featurebaseJwt", Token),
        ("jwtToken", Token),
        ("userHash", UserHash),
        ("user_hash", UserHash),
        ("companyHash", CompanyHash),
        ("userId", UserId),
        ("user_id", UserId),
        ("id", UserId),
        ("email", Email),
        ("anonymousId", AnonymousId),
        ("company", Company),
        ("companies", Companies),
        ("customFields", Nested),
        ("customData", Nested),
        ("custom_data", Nested),
        ("createdAt", Attribute("createdAt")),
        ("created_at", Attribute("createdAt")),
        ("roles", Attribute("roles")),
        ("role", Attribute("roles")),
        ("theme", Control),
        ("themeMode", Control),
        ("theme_mode", Control),
        ("language", Control),
        ("languageOverride", Control),
        ("language_override", Control),
        ("hideDefaultLauncher", Control),
        ("hide_default_launcher", Control),
        ("alignment", Control),
        ("horizontalPadding", Control),
        ("horizontal_padding", Control),
        ("verticalPadding", Control),
        ("vertical_padding", Control),
        ("actionColor", Control),
        ("action_color", Control),
        ("backgroundColor", Control),
        ("background_color", Control),
        ("messenger", Control),
        ("$brandId", Control),
        ("iss", Registered),
        ("sub", Registered),
        ("aud", Registered),
        ("exp", Registered),
        ("nbf", Registered),
        ("iat", Registered),
        ("jti", Registered),
    ]
};

/// The meaning of a member of a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompanyField {
    /// The company's id.
    Id,
    /// The HMAC of the company's id.
    Hash,
    /// An object of further attributes.
    Nested,
    /// An attribute of this name.
    Attribute(&'static str),
    /// An attribute of its own name.
    Custom,
}

/// The meaning of a member of a company.
#[must_use]
pub fn company_field(name: &str) -> CompanyField {
    static TABLE: Table<13, CompanyField> = Table::of(COMPANY_FIELDS);
    TABLE.get(name).unwrap_or(CompanyField::Custom)
}

const COMPANY_FIELDS: [(&str, CompanyField); 13] = {
    use CompanyField::{Attribute, Hash, Id, Nested};
    [
        ("id", Id),
        ("companyId", Id),
        ("company_id", Id),
        ("companyHash", Hash),
        ("customFields", Nested),
        ("customData", Nested),
        ("custom_data", Nested),
        ("createdAt", Attribute("createdAt")),
        ("created_at", Attribute("createdAt")),
        ("companySize", Attribute("companySize")),
        ("size", Attribute("companySize")),
        ("monthlySpend", Attribute("monthlySpend")),
        ("monthly_spend", Attribute("monthlySpend")),
    ]
};

/// Names of credentials, letters alone. An attribute that folds to one of them can't be configured, whatever its spelling.
const CREDENTIALS: &[&str] = &["featurebasejwt", "jwttoken", "jwt", "userhash", "companyhash"];

/// Whether a name looks like a credential in any spelling: `featurebase_jwt`, `Company-Hash`, …
#[must_use]
pub fn looks_like_credential(name: &str) -> bool {
    let folded = || name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase);
    CREDENTIALS.iter().any(|credential| credential.chars().eq(folded()))
}

/// Whether an attribute of users may have this name in the settings. The others mean something else, fold into another
/// name, or look like a credential.
#[must_use]
pub fn configurable_for_users(name: &str) -> bool {
    let meaning = match user_field(name) {
        UserField::Email | UserField::Custom => true,
        UserField::Attribute(canonical) => canonical == name,
        _ => false,
    };
    meaning && !looks_like_credential(name)
}

/// Whether an attribute of companies may have this name in the settings. `companies` names the membership in verdicts.
#[must_use]
pub fn configurable_for_companies(name: &str) -> bool {
    let meaning = match company_field(name) {
        CompanyField::Custom => name != MEMBERSHIP,
        CompanyField::Attribute(canonical) => canonical == name,
        CompanyField::Id | CompanyField::Hash | CompanyField::Nested => false,
    };
    meaning && !looks_like_credential(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_of_credentials_cannot_be_configured() {
        for name in ["featurebase_jwt", "FeaturebaseJWT", "company_hash", "user-hash", "JWT", "jwt_token", "userHash"] {
            assert!(looks_like_credential(name), "{name}");
            assert!(!configurable_for_users(name), "{name}");
            assert!(!configurable_for_companies(name), "{name}");
        }
        assert!(!looks_like_credential("hash"));
    }

    #[test]
    fn aliases_and_reserved_names_cannot_be_configured() {
        for name in ["role", "created_at", "userId", "id", "appId", "companies", "theme", "exp", "customFields"] {
            assert!(!configurable_for_users(name), "{name}");
        }
        for name in ["plan", "email", "roles", "createdAt", "Theme", "size"] {
            assert!(configurable_for_users(name), "{name}");
        }
        for name in ["size", "monthly_spend", "id", "companyHash", "customData", "companies"] {
            assert!(!configurable_for_companies(name), "{name}");
        }
        assert!(configurable_for_companies("email"));
    }
}
