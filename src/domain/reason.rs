//! Every reason there is, in one closed list: the stable code, the stage that gives it, what it means and what the sender
//! should do. docs/REASONS.md is generated from here. A code is retired, never renamed and never given a second meaning.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// The stage of the path that gives a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Bytes to an unverified event.
    Decode,
    /// An unverified event to a verified one.
    Verify,
    /// A verified event to the outcome of each attribute.
    Decide,
}

impl Stage {
    /// The stage's name, as it stands in metrics, spans and docs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Stage::Decode => "decode",
            Stage::Verify => "verify",
            Stage::Decide => "decide",
        }
    }
}

macro_rules! reasons {
    ($($variant:ident $code:literal $stage:ident $meaning:literal $advice:literal)*) => {
        /// Why an event, an attribute or a company was rejected or dropped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $(#[doc = $meaning] $variant,)* }

        impl Reason {
            /// Every reason, in the order of the path.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// The reason of this code.
            #[must_use]
            pub fn named(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.code() == code)
            }

            /// The stable code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Reason::$variant => $code,)* }
            }

            /// The stage that gives it.
            #[must_use]
            pub fn stage(self) -> Stage {
                match self { $(Reason::$variant => Stage::$stage,)* }
            }

            /// What it means, in one sentence for the people around the event.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Reason::$variant => $meaning,)* }
            }

            /// What the sender should do.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(Reason::$variant => $advice,)* }
            }
        }
    };
}

reasons! {
    EmptyRecord "empty_record" Decode
        "The record has no value: a tombstone or an empty one."
        "Send one event in each record; this topic is not compacted by key."
    RecordTooLarge "record_too_large" Decode
        "The record's value is larger than this deployment accepts, or its verdict than the topic of verdicts takes."
        "Send fewer or shorter attributes, or ask the operator to raise limits.record_bytes, or max.message.bytes of the topic of verdicts \
         where `detail` shows less than that."
    NotUtf8 "not_utf8" Decode
        "The record's value is not UTF-8."
        "Encode the event as UTF-8 JSON."
    MalformedJson "malformed_json" Decode
        "The record's value is not one JSON document (RFC 8259), or holds a lone surrogate or a byte-order mark."
        "Build the event with a JSON library; `detail` tells the byte at which reading stopped."
    DuplicateName "duplicate_name" Decode
        "One object has the same name twice, so that two parsers would read two events."
        "Send each name once; look for a name that is set by two pieces of code, in the event or in the token."
    TooDeep "too_deep" Decode
        "Objects and lists are nested deeper than this deployment accepts."
        "Send flat attributes; nested values are not stored."
    NotAnObject "not_an_object" Decode
        "The event is JSON, but not an object."
        "Send the SDK's object, or an envelope around it."
    NameTooLong "name_too_long" Decode
        "A name, an identity or a tenant is longer than this deployment accepts."
        "Shorten it; `detail` names the field, unless it is an attribute's own name."
    TooManyAttributes "too_many_attributes" Decode
        "The event has more attributes than this deployment accepts, users' and companies' together."
        "Send only the attributes that are configured."
    TooManyCompanies "too_many_companies" Decode
        "The event lists more companies than this deployment accepts."
        "Send the companies that the user works with now."
    TokenTooLong "token_too_long" Decode
        "The token is longer than this deployment accepts."
        "Sign fewer or shorter claims."
    ConflictingFields "conflicting_fields" Decode
        "One field was given in two spellings with different values."
        "Send one spelling; `detail` names the field."
    InvalidIdentity "invalid_identity" Decode
        "An identity or a tenant is neither a text nor an integer."
        "Send ids and e-mail addresses as texts; `detail` names the field."
    InvalidText "invalid_text" Decode
        "A text or a name holds the character U+0000, which databases downstream cannot store, or is a token, which is passed on \
         nowhere."
        "Remove the character where the text is made; send a token in the field for tokens alone."
    MissingType "missing_type" Decode
        "Nothing says what type of event this is: no envelope, no header, no default for the topic."
        "Set the envelope's `type` or the header `ce_type`, or ask the operator to configure the topic's type."
    UnknownType "unknown_type" Decode
        "The type of the event is none that carries attributes: boot, identify, or a widget's initialization."
        "Send other events to another topic."
    MissingOrganization "missing_organization" Verify
        "The event names no organization, as `update()` without settings does."
        "Send `organization` or `appId` with every call."
    UnknownOrganization "unknown_organization" Verify
        "No organization of this slug or app id is configured."
        "Check the spelling (it is compared exactly) and that the organization exists in this environment."
    SettingsUnusable "settings_unusable" Verify
        "The organization's settings can't be used at the moment, by no fault of the sender; the operator's log says why."
        "Nothing: the operator mends the settings and judges the event again with `attrsync replay`."
    OrganizationMismatch "organization_mismatch" Verify
        "The event names two different organizations."
        "Send the slug and the app id of the same organization, and sign for that one."
    ConflictingTokens "conflicting_tokens" Verify
        "The event carries two different tokens."
        "Send one token, in `featurebaseJwt`."
    TokenMalformed "token_malformed" Verify
        "The token is not a JWT in compact form: three parts of base64url without padding (RFC 7515 §3.1)."
        "Pass on exactly what the JWT library returned."
    HeaderMalformed "header_malformed" Verify
        "The token's header is not a JSON object with a text `alg` (RFC 7515 §4)."
        "Make the token with a well-kept JWT library."
    CriticalHeader "critical_header" Verify
        "The token's header asks for an extension that is not supported (`crit` or `b64`, RFC 7515 §4.1.11, RFC 7797)."
        "Sign a plain JWT."
    AlgorithmNotAllowed "algorithm_not_allowed" Verify
        "The organization has no usable key of the token's algorithm, or the key named by `kid` is of another."
        "Sign with the algorithm of the organization's key; `none` is never accepted."
    KeyRetired "key_retired" Verify
        "The proof was made with a key that was retired before the event, or its `kid` names one."
        "Deploy the current key to the server that signs."
    KeyRevoked "key_revoked" Verify
        "The proof was made with a key that was revoked, or its `kid` names one."
        "Deploy the current key to the server that signs, and find out who still has the revoked one."
    KeyNotYetValid "key_not_yet_valid" Verify
        "The proof was made with a key that was not valid yet at the time of the event, or its `kid` names one."
        "Sign with the current key until the new one is valid."
    SignatureInvalid "signature_invalid" Verify
        "No key of the organization verifies the token's signature."
        "Sign on the server with this organization's secret of this environment, as it is shown, and pass the token on unchanged."
    ClaimsMalformed "claims_malformed" Verify
        "The token's payload is not a JSON object (RFC 7519 §7.2)."
        "Make the token with a well-kept JWT library from an object of claims."
    TimeMalformed "time_malformed" Verify
        "A time in the token is not a number (NumericDate, RFC 7519 §2)."
        "Send `exp`, `nbf` and `iat` as seconds since 1970, as numbers."
    TimeInMilliseconds "time_in_milliseconds" Verify
        "A time in the token is in milliseconds; as seconds it would never come."
        "Divide by 1000: `exp`, `nbf` and `iat` are seconds since 1970."
    TokenExpired "token_expired" Verify
        "The token had expired when the event came in."
        "Fetch a new token before each identify, and check the clock of the server that signs."
    ExpiryMissing "expiry_missing" Verify
        "The organization requires an expiry and the token has none."
        "Set `exp`, an hour ahead for instance."
    TokenNotYetValid "token_not_yet_valid" Verify
        "The token was not valid yet when the event came in."
        "Check the clock of the server that signs."
    IssuedAtMissing "issued_at_missing" Verify
        "The organization limits the age of tokens and this one does not say when it was issued."
        "Set `iat`."
    IssuedInFuture "issued_in_future" Verify
        "The token says that it was issued after the event came in."
        "Check the clock of the server that signs."
    TokenTooOld "token_too_old" Verify
        "The token is older than the organization accepts."
        "Fetch a new token before each identify."
    AudienceMismatch "audience_mismatch" Verify
        "The token is not made for the audience that the organization requires (`aud`, RFC 7519 §4.1.3)."
        "Set `aud` to the configured audience."
    IssuerMismatch "issuer_mismatch" Verify
        "The token is not from the issuer that the organization requires (`iss`, RFC 7519 §4.1.1)."
        "Set `iss` to the configured issuer."
    TokenIdentityMissing "token_identity_missing" Verify
        "The token names nobody: neither `userId` nor `email` is in its claims."
        "Add `userId` or `email` to the claims; `sub` is not read."
    IdentityMismatch "identity_mismatch" Verify
        "The event names another user than its proof."
        "Send the same `userId` and `email` in the call and in the token, or leave them out of the call."
    HashMalformed "hash_malformed" Verify
        "`userHash` is not 64 hexadecimal digits."
        "Send the HMAC-SHA256 of the identifier in hex, without blanks."
    HashWithoutIdentity "hash_without_identity" Verify
        "`userHash` came without the `userId` or `email` that it should cover."
        "Send the identifier beside its hash."
    IdentitySecretMissing "identity_secret_missing" Verify
        "The organization has no identity secret to check `userHash` or `companyHash` with."
        "Sign a JWT, or ask the operator to configure the identity secret."
    HashMismatch "hash_mismatch" Verify
        "`userHash` is not the HMAC of the identifier under the organization's identity secret."
        "Compute it on the server over `userId` where it is sent, else over `email`, with this environment's secret as it is shown."
    MissingIdentity "missing_identity" Verify
        "An identify without `userId`, `email` or `anonymousId` concerns nobody."
        "Send an identity, or call boot."
    ProofMissing "proof_missing" Verify
        "The event claims an identity without proof, and the organization enforces proof."
        "Send a token made by the server, or the `userHash` of the identifier."
    NotConfigured "not_configured" Decide
        "No attribute of this name is configured."
        "Configure the attribute, or stop sending it; names are compared exactly."
    Archived "archived" Decide
        "The attribute is archived."
        "Restore the attribute, or stop sending it."
    Locked "locked" Decide
        "The attribute accepts signed values only, and this one was not signed."
        "Put the attribute into the token that the server signs."
    Superseded "superseded" Decide
        "Another value of the same attribute or company was looked at instead: the signed one, the flat one or the first one."
        "Send the value once."
    WrongType "wrong_type" Decide
        "The value does not fit the attribute's type."
        "Send the configured type; values are not converted, except for dates."
    NotAnOption "not_an_option" Decide
        "The value is none of the attribute's options."
        "Send one of the configured options, spelled exactly."
    TooLong "too_long" Decide
        "The text is longer than the attribute accepts."
        "Shorten the text, or raise the attribute's limit."
    UnsignedIdentity "unsigned_identity" Decide
        "A `userId` beside a token that proves the e-mail alone is not proven, and is not kept."
        "Add `userId` to the token's claims."
    CompanyIdMissing "company_id_missing" Decide
        "The company has no usable id, so that it cannot be told which one it is."
        "Send the company as an object with `id` as a text."
    CompanyHashMismatch "company_hash_mismatch" Decide
        "`companyHash` is not the HMAC of the company's id under the organization's identity secret."
        "Compute it on the server over the company's id, or put the company into the token."
    CompanyHashUnchecked "company_hash_unchecked" Decide
        "Too many company hashes of the event were wrong, so that this one was not looked at."
        "Correct the hashes that are rejected as `company_hash_mismatch`; this one is looked at then."
    AttributeRejected "attribute_rejected" Decide
        "An attribute was rejected, and the organization rejects the whole event for that."
        "Look at `rejected` for the attribute and its reason."
    EventRejected "event_rejected" Decide
        "The attribute itself was fine, but the whole event was rejected for another one."
        "Look at `rejected` for the attribute and its reason."
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl JsonSchema for Reason {
    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<_> = Self::ALL.iter().map(|reason| reason.code()).collect();
        json_schema!({ "description": "A stable code; docs/REASONS.md tells what each means.", "type": "string", "enum": codes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_snake_case_and_read_back() {
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert!(
                reason.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
            assert_eq!(Reason::named(reason.code()), Some(*reason));
            assert!(Reason::ALL[..at].iter().all(|other| other.code() != reason.code()), "{reason} stands twice");
        }
    }

    #[test]
    fn the_list_follows_the_path() {
        assert!(Reason::ALL.is_sorted_by_key(|reason| reason.stage()));
    }
}
