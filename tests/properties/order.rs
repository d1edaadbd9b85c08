//! A verdict does not depend on the order in which an object happens to be written: the event, its companies, the token's
//! header and its claims.

use attrsync::domain::{Policy, key::Algorithm};
use proptest::prelude::*;

use crate::common::{self, Event, SECRET, SETTINGS};

/// Members of one payload, some at odds with each other; nested objects are marked to be shuffled too.
fn members() -> Vec<String> {
    let token = common::token(r#"{"userId":"12345","plan":"Premium"}"#);
    let mut members = vec![format!(r#""featurebaseJwt":"{token}""#)];
    members.push(format!(r#""companyHash":"{}""#, common::hash("c1")));
    // Longer than a name may be, by different lengths.
    members.extend([256, 300].map(|chars| format!(r#""{}":1"#, "n".repeat(chars))));
    members.extend(
        [
            r#""organization":"acme""#,
            r#""appId":"65f1c0ffee65f1c0ffee65f1""#,
            r#""app_id":"65f1c0ffee65f1c0ffee65f2""#,
            r#""userId":"12345""#,
            r#""id":"67890""#,
            r#""email":"user@example.com""#,
            r#""plan":"Free""#,
            r#""seats":3"#,
            r#""trial":"yes""#,
            r#""utm_a":1"#,
            r#""utm_b":2"#,
            r#""createdAt":"2026-11-22""#,
            r#""created_at":1795341600"#,
            r#""userHash":{"b":1,"a":2}"#,
            r#""user_hash":{"b":1,"a":2}"#,
            r#""customFields":{"seats":4,"plan":"x","utm_c":{"b":1,"a":[{"d":1,"c":2}]}}"#,
            r#""customData":{"trial":null,"seats":5}"#,
            r#""custom_data":{"utm_c":{"a":[{"d":1,"c":2}],"b":1},"userId":"a","id":"b"}"#,
            r#""company":{"id":"c1","tier":"gold","company_id":"c1","size":1,"companySize":2}"#,
            r#""companies":[{"id":"c2","companyId":"c9","tier":"a"},{"id":"c1"},{}]"#,
            r#""role":"admin""#,
            r#""name":["no","text"]"#,
            r#""anonymousId":{}"#,
        ]
        .map(str::to_owned),
    );
    members
}

/// The members that are at odds with none, so that what is set and dropped shows, too.
fn agreeing() -> Vec<String> {
    let odd = [
        "\"app_id\"",
        "\"id\"",
        "\"created_at\"",
        "\"customData\"",
        "\"custom_data\"",
        "\"nnn",
        "\"company\"",
        "\"companies\"",
        "\"anonymousId\"",
    ];
    members().into_iter().filter(|member| !odd.iter().any(|name| member.starts_with(name))).collect()
}

/// The members that a server could sign, some at odds with each other.
fn claims() -> Vec<String> {
    [
        r#""userId":"12345""#,
        r#""user_id":"12345""#,
        r#""email":"user@example.com""#,
        r#""plan":"Premium""#,
        r#""seats":"3""#,
        r#""exp":1795341000"#,
        r#""nbf":1795342000"#,
        r#""iat":"now""#,
        r#""organization":"globex""#,
        r#""appId":"65f1c0ffee65f1c0ffee65f1""#,
        r#""customFields":{"seats":4,"trial":true}"#,
        r#""companies":[{"id":"c1","tier":"gold"}]"#,
        r#""role":"admin""#,
        r#""roles":["admin","owner"]"#,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// An object of these members in an order that `seed` decides, the objects inside them too.
fn shuffled(members: &[String], seed: u64) -> String {
    let mut members: Vec<_> = members.iter().map(|member| inside(member, seed)).collect();
    members.sort_by_key(|member| {
        member.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)).rotate_left(29)
    });
    format!("{{{}}}", members.join(","))
}

/// A member whose value's objects are written in another order.
fn inside(member: &str, seed: u64) -> String {
    let (name, value) = member.split_once(':').unwrap();
    let value: serde_json::Value = serde_json::from_str(value).unwrap();
    format!("{name}:{}", written(&value, seed))
}

fn written(value: &serde_json::Value, seed: u64) -> String {
    match value {
        serde_json::Value::Object(object) => {
            let members: Vec<_> = object
                .iter()
                .map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name.as_str())))
                .collect();
            shuffled(&members, seed)
        }
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| written(item, seed)).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn members_in_any_order_get_the_same_bytes(
        chosen in prop_oneof![
            proptest::sample::subsequence(members(), 0..=members().len()),
            proptest::sample::subsequence(agreeing(), agreeing().len() - 3..=agreeing().len()),
        ],
        seeds in any::<(u64, u64)>(),
    ) {
        let snapshot = common::snapshot(SETTINGS, Policy::default());
        let judged = |seed| Event::new(shuffled(&chosen, seed)).judge(&snapshot);
        prop_assert_eq!(judged(seeds.0), judged(seeds.1));
    }

    #[test]
    fn claims_and_headers_in_any_order_get_the_same_bytes(
        chosen in proptest::sample::subsequence(claims(), 0..=claims().len()),
        critical in any::<bool>(),
        seeds in any::<(u64, u64)>(),
    ) {
        let snapshot = common::snapshot(SETTINGS, Policy::default());
        let mut header = vec![r#""alg":"HS256""#.to_owned(), r#""typ":"JWT""#.to_owned(), r#""kid":"current""#.to_owned()];
        header.extend(critical.then(|| r#""crit":["exp"]"#.to_owned()));
        let judged = |seed| {
            let token = common::sign(&shuffled(&header, seed), &shuffled(&chosen, seed), Algorithm::HS256, SECRET);
            Event::new(format!(r#"{{"organization":"acme","featurebaseJwt":"{token}"}}"#)).judge(&snapshot)
        };
        prop_assert_eq!(judged(seeds.0), judged(seeds.1));
    }
}

#[test]
fn shuffling_changes_the_order_and_nothing_else() {
    let orders: std::collections::BTreeSet<_> =
        (0..20_u64).map(|seed| shuffled(&members(), seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    assert!(orders.len() > 15, "{} orders", orders.len());
    let values: std::collections::BTreeSet<_> =
        orders.iter().map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap().to_string()).collect();
    assert_eq!(values.len(), 1);
}
