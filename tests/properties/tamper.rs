//! A changed byte anywhere in a token, a hash or a key never verifies.

use attrsync::domain::{Policy, key::Algorithm};
use proptest::{prelude::*, sample::Index};

use crate::common::{self, Event, SECRET, SETTINGS};

fn status(event: &str) -> (String, String) {
    let verdict = Event::new(event).verdict(&common::snapshot(SETTINGS, Policy::default()));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&verdict["verdict"]), text(&verdict["verification"]["status"]))
}

/// The text with one character replaced, put in, or taken out.
fn tampered(text: &str, at: Index, other: &str, how: u8) -> String {
    let at = at.index(text.len());
    let (before, after) = text.split_at(at);
    match how {
        0 => format!("{before}{other}{}", &after[1..]),
        1 => format!("{before}{other}{after}"),
        _ => format!("{before}{}", &after[1..]),
    }
}

proptest! {
    #[test]
    fn a_tampered_token_never_verifies(at in any::<Index>(), other in "[ -!#-\\[\\]-~]", how in 0..3_u8) {
        let token = common::token(r#"{"userId":"12345","plan":"Premium"}"#);
        let tampered = tampered(&token, at, &other, how);
        prop_assume!(token != tampered);
        let event = format!(r#"{{"organization":"acme","featurebaseJwt":"{tampered}"}}"#);
        prop_assert_eq!(status(&event), ("rejected".to_owned(), "failed".to_owned()));
    }

    #[test]
    fn a_tampered_hash_never_verifies(at in any::<Index>(), other in "[ -!#-\\[\\]-~]", how in 0..3_u8) {
        let hash = common::hash("12345");
        let tampered = tampered(&hash, at, &other, how);
        prop_assume!(!hash.eq_ignore_ascii_case(&tampered));
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
    fn a_token_signed_with_a_tampered_key_never_verifies(at in any::<Index>(), other in "[ -~]", how in 0..3_u8) {
        let secret = tampered(SECRET, at, &other, how);
        prop_assume!(SECRET != secret);
        let token = common::sign(r#"{"alg":"HS256"}"#, r#"{"userId":"1"}"#, Algorithm::HS256, &secret);
        let event = format!(r#"{{"organization":"acme","featurebaseJwt":"{token}"}}"#);
        prop_assert_eq!(status(&event).1, "failed");
    }
}
