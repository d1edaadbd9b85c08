//! A changed byte anywhere in a token, a hash or a key never verifies.

use attrsync::domain::{Policy, key::Algorithm};
use proptest::{prelude::*, sample::Index};

use crate::common::{self, Event, SECRET, SETTINGS};

fn status(event: &str) -> (String, String) {
    let verdict = Event::new(event).verdict(&common::snapshot(SETTINGS, Policy::default()));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&verdict["verdict"]), text(&verdict["verification"]["status"]))
}

proptest! {
    #[test]
    fn a_tampered_token_never_verifies(at in any::<Index>(), other in "[ -!#-\\[\\]-~]") {
        let token = common::token(r#"{"userId":"12345","plan":"Premium"}"#);
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != other);
        let tampered = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        let event = format!(r#"{{"organization":"acme","featurebaseJwt":"{tampered}"}}"#);
        prop_assert_eq!(status(&event), ("rejected".to_owned(), "failed".to_owned()));
    }

    #[test]
    fn a_tampered_hash_never_verifies(at in any::<Index>(), other in "[ -!#-\\[\\]-~]") {
        let hash = common::hash("12345");
        let at = at.index(hash.len());
        prop_assume!(!hash[at..=at].eq_ignore_ascii_case(&other));
        let tampered = format!("{}{other}{}", &hash[..at], &hash[at + 1..]);
        let event = format!(r#"{{"organization":"acme","userId":"12345","userHash":"{tampered}"}}"#);
        prop_assert_eq!(status(&event), ("rejected".to_owned(), "failed".to_owned()));
    }

    #[test]
    fn a_hash_covers_its_identifier_alone(user_id in "[a-z0-9@.]{1,20}") {
        prop_assume!(user_id != "12345");
        let event = format!(r#"{{"organization":"acme","userId":"{user_id}","userHash":"{}"}}"#, common::hash("12345"));
        prop_assert_eq!(status(&event).1, "failed");
    }

    #[test]
    fn a_token_signed_with_a_tampered_key_never_verifies(at in any::<Index>(), other in "[ -~]") {
        let at = at.index(SECRET.len());
        prop_assume!(SECRET[at..=at] != other);
        let secret = format!("{}{other}{}", &SECRET[..at], &SECRET[at + 1..]);
        let token = common::sign(r#"{"alg":"HS256"}"#, r#"{"userId":"1"}"#, Algorithm::HS256, &secret);
        let event = format!(r#"{{"organization":"acme","featurebaseJwt":"{token}"}}"#);
        prop_assert_eq!(status(&event).1, "failed");
    }
}
