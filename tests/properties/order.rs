//! A verdict does not depend on the order in which an object happens to be written.

use proptest::prelude::*;

use crate::common::{self, Event, SETTINGS};

/// Members of one payload, some at odds with each other.
fn members() -> Vec<String> {
    let token = common::token(r#"{"userId":"12345","plan":"Premium"}"#);
    vec![
        r#""organization":"acme""#.to_owned(),
        format!(r#""featurebaseJwt":"{token}""#),
        r#""userId":"12345""#.to_owned(),
        r#""id":"67890""#.to_owned(),
        r#""email":"user@example.com""#.to_owned(),
        r#""plan":"Free""#.to_owned(),
        r#""seats":3"#.to_owned(),
        r#""trial":"yes""#.to_owned(),
        r#""utm_a":1,"utm_b":2"#.to_owned(),
        r#""createdAt":"2026-11-22""#.to_owned(),
        r#""created_at":1795341600"#.to_owned(),
        r#""customFields":{"seats":4,"plan":"x"}"#.to_owned(),
        r#""customData":{"trial":null}"#.to_owned(),
        r#""company":{"id":"c1","tier":"gold","company_id":"c1"}"#.to_owned(),
        r#""companies":[{"id":"c2"},{"id":"c1"},{}]"#.to_owned(),
        r#""role":"admin""#.to_owned(),
        r#""name":["no","text"]"#.to_owned(),
        r#""anonymousId":{}"#.to_owned(),
    ]
}

proptest! {
    #[test]
    fn members_in_any_order_get_the_same_bytes(
        chosen in proptest::sample::subsequence(members(), 0..=members().len()),
        shuffled in any::<u64>(),
    ) {
        let snapshot = common::snapshot(SETTINGS, attrsync::domain::Policy::default());
        let write = |members: &[String]| format!("{{{}}}", members.join(","));
        let first = Event::new(write(&chosen)).judge(&snapshot);
        let mut members = chosen;
        members.sort_by_key(|member| member.bytes().fold(shuffled, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)));
        prop_assert_eq!(first, Event::new(write(&members)).judge(&snapshot));
    }
}
