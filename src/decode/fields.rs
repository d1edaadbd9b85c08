//! What each name of an SDK object means: the tables of aliases, credentials and control fields, for users and companies.
//! Names are compared exactly; a name that differs in one letter is an attribute like any other.

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
    use UserField::{
        AnonymousId, AppId, Attribute, Companies, Company, CompanyHash, Control, Custom, Email, Nested, Organization,
        Registered, Token, UserHash, UserId,
    };
    // As bytes: the compiler then decides by length and letter, and not by one comparison after another.
    match name.as_bytes() {
        b"organization" => Organization,
        b"appId" | b"app_id" => AppId,
        b"featurebaseJwt" | b"jwtToken" => Token,
        b"userHash" | b"user_hash" => UserHash,
        b"companyHash" => CompanyHash,
        b"userId" | b"user_id" | b"id" => UserId,
        b"email" => Email,
        b"anonymousId" => AnonymousId,
        b"company" => Company,
        b"companies" => Companies,
        b"customFields" | b"customData" | b"custom_data" => Nested,
        b"createdAt" | b"created_at" => Attribute("createdAt"),
        b"roles" | b"role" => Attribute("roles"),
        b"theme"
        | b"themeMode"
        | b"theme_mode"
        | b"language"
        | b"languageOverride"
        | b"language_override"
        | b"hideDefaultLauncher"
        | b"hide_default_launcher"
        | b"alignment"
        | b"horizontalPadding"
        | b"horizontal_padding"
        | b"verticalPadding"
        | b"vertical_padding"
        | b"actionColor"
        | b"action_color"
        | b"backgroundColor"
        | b"background_color"
        | b"messenger"
        | b"$brandId" => Control,
        b"iss" | b"sub" | b"aud" | b"exp" | b"nbf" | b"iat" | b"jti" => Registered,
        _ => Custom,
    }
}

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
    use CompanyField::{Attribute, Custom, Hash, Id, Nested};
    // As bytes: the compiler then decides by length and letter, and not by one comparison after another.
    match name.as_bytes() {
        b"id" | b"companyId" | b"company_id" => Id,
        b"companyHash" => Hash,
        b"customFields" | b"customData" | b"custom_data" => Nested,
        b"createdAt" | b"created_at" => Attribute("createdAt"),
        b"companySize" | b"size" => Attribute("companySize"),
        b"monthlySpend" | b"monthly_spend" => Attribute("monthlySpend"),
        _ => Custom,
    }
}

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
