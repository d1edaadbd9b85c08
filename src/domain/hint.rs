//! What a diagnosis found out about a failed proof or a value: a closed list, each with a sentence for the sender.
//! A hint about a proof belongs to the rejected topic alone; sent back to a browser it would confirm a guess to whoever
//! forges. One about an attribute stands wherever the attribute does.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer, ser::SerializeStruct};

macro_rules! hints {
    ($($variant:ident $code:literal $message:literal)*) => {
        /// A likely cause, found by a bounded number of tries.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Hint { $(#[doc = $message] $variant,)* }

        impl Hint {
            /// Every hint.
            pub const ALL: &'static [Hint] = &[$(Hint::$variant,)*];

            /// The stable code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Hint::$variant => $code,)* }
            }

            /// The sentence for the sender.
            #[must_use]
            pub fn message(self) -> &'static str {
                match self { $(Hint::$variant => $message,)* }
            }
        }
    };
}

hints! {
    HashCoversEmail "hash_covers_email"
        "The hash covers `email`; where `userId` is sent too it must cover `userId`."
    HashCoversUserId "hash_covers_user_id"
        "The hash covers `userId`, which was not sent; only `email` was."
    HashCoversLowerCase "hash_covers_lower_case"
        "The hash covers the e-mail in lower case; send the e-mail as it was hashed."
    TokenInUserHash "token_in_user_hash"
        "A JWT stands in `userHash`; send it as `featurebaseJwt`."
    HashInToken "hash_in_token"
        "A hash stands in `featurebaseJwt`; send it as `userHash`."
    HashHasBlanks "hash_has_blanks"
        "The hash has blanks around it; send the 64 digits alone."
    SecretDecodedFromHex "secret_decoded_from_hex"
        "The secret was decoded from hex first; use it as the text that is shown."
    SecretDecodedFromBase64 "secret_decoded_from_base64"
        "The secret was decoded from base64 first; use it as the text that is shown."
    SignedWithIdentitySecret "signed_with_identity_secret"
        "The token was signed with the identity-verification secret; sign with the JWT secret."
    HashedWithJwtSecret "hashed_with_jwt_secret"
        "The hash was made with the JWT secret; use the identity-verification secret."
    OtherOrganization "other_organization"
        "The token names another organization; it may be signed with that one's or another environment's key."
    TokenEncrypted "token_encrypted"
        "The token is encrypted (JWE, RFC 7516); send a signed one."
    TokenEdited "token_edited"
        "The token names a key of this organization that did not sign it: its claims were edited after signing, or another environment has a key of the same id."
    NumberAsText "number_as_text"
        "The value is a number written as a text; send it without quotes."
    BooleanAsText "boolean_as_text"
        "The value is a boolean written as a text; send it without quotes."
    TextAsNumber "text_as_number"
        "The attribute is a text; send the number in quotes."
    NearMiss "near_miss"
        "A configured attribute differs in case or punctuation only; names are compared exactly."
    OptionNearMiss "option_near_miss"
        "A configured option differs in case only; options are compared exactly."
}

impl Serialize for Hint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut hint = serializer.serialize_struct("Hint", 2)?;
        hint.serialize_field("code", self.code())?;
        hint.serialize_field("message", self.message())?;
        hint.end()
    }
}

impl JsonSchema for Hint {
    fn schema_name() -> Cow<'static, str> {
        "Hint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<_> = Self::ALL.iter().map(|hint| hint.code()).collect();
        json_schema!({
            "description": "A likely cause, found by a bounded number of tries.",
            "type": "object",
            "properties": { "code": { "type": "string", "enum": codes }, "message": { "type": "string" } },
            "required": ["code", "message"]
        })
    }
}
