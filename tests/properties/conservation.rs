//! Attributes in = set + unset + rejected + dropped, for every event that reaches decide.

use attrsync::domain::Policy;
use proptest::{collection::btree_map, collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};

use crate::common::{self, Event, SETTINGS};

const NAMES: &[&str] = &["plan", "seats", "trial", "name", "Plan", "utm_x", "createdAt", "tags", "email2", "exp2"];
/// What has the form of a token.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl";
const COMPANY_NAMES: &[&str] = &["tier", "name", "plan", "monthlySpend", "utm_x"];

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!("Premium")),
        Just(json!(7)),
        Just(json!(true)),
        Just(json!("2026-11-22")),
        Just(json!(["a", "b"])),
        Just(json!({"a": 1})),
        Just(json!("a\0b")),
        Just(json!(TOKEN)),
        Just(json!(format!("Bearer {TOKEN}"))),
        Just(json!([format!("https://a.example/?jwt={TOKEN}&x=1")])),
    ]
}

fn attributes(names: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
    btree_map(proptest::sample::select(names), value(), 0..names.len())
        .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn company() -> impl Strategy<Value = Value> {
    let id = prop_oneof![Just(json!("c1")), Just(json!("c2")), Just(json!(3)), Just(Value::Null), Just(json!({}))];
    (id, attributes(COMPANY_NAMES), any::<bool>()).prop_map(|(id, mut company, hashed)| {
        company.insert("id".to_owned(), id);
        if hashed {
            company.insert("companyHash".to_owned(), json!(common::hash("c1")));
        }
        Value::Object(company)
    })
}

fn companies() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => Just(json!("none")),
        6 => vec(company(), 0..4).prop_map(Value::Array),
    ]
}

#[derive(Debug, Clone)]
struct Side {
    flat: Map<String, Value>,
    nested: Map<String, Value>,
    companies: Option<Value>,
}

fn side() -> impl Strategy<Value = Side> {
    (attributes(NAMES), attributes(NAMES), option::of(companies())).prop_map(|(flat, nested, companies)| Side {
        flat,
        nested,
        companies,
    })
}

impl Side {
    fn count(&self) -> usize {
        let company = |company: &Value| {
            let members = company.as_object().unwrap();
            1 + members.len() - 1 - usize::from(members.contains_key("companyHash"))
        };
        let companies = match &self.companies {
            None => 0,
            Some(Value::Array(entries)) if !entries.is_empty() => entries.iter().map(company).sum(),
            Some(_) => 1,
        };
        self.flat.len() + self.nested.len() + companies
    }

    fn object(&self, rest: &Value) -> Value {
        let mut object = self.flat.clone();
        object.insert("customFields".to_owned(), Value::Object(self.nested.clone()));
        object.extend(self.companies.clone().map(|companies| ("companies".to_owned(), companies)));
        object.extend(rest.as_object().unwrap().clone());
        Value::Object(object)
    }
}

/// What the verdict accounts for.
fn accounted(verdict: &Value) -> usize {
    let len = |value: &Value| value.as_array().map_or(0, Vec::len) + value.as_object().map_or(0, Map::len);
    let companies = match &verdict["companies"] {
        // An empty list is one statement about all companies.
        Value::Array(list) if list.is_empty() => 1,
        Value::Array(list) => list.iter().map(|company| 1 + len(&company["attributes"]) + len(&company["unset"])).sum(),
        _ => 0,
    };
    companies + ["attributes", "unset", "rejected", "dropped"].iter().map(|list| len(&verdict[list])).sum::<usize>()
}

fn settings(mode: &str, locked: bool, rejects: &str) -> String {
    SETTINGS.replace(
        "[organizations.attributes.plan]",
        &format!(
            "enforcement = \"{mode}\"\non_rejected_attribute = \"{rejects}\"\nmembership = {{ locked = {locked} }}\n[organizations.attributes.plan]"
        ),
    )
}

proptest! {
    #[test]
    fn every_attribute_of_a_signed_event_is_accounted_for(
        signed in side(),
        unsigned in side(),
        locked in any::<bool>(),
        rejects in proptest::sample::select(vec!["attribute", "event"]),
        user_id_unsigned in any::<bool>(),
    ) {
        let token = common::token(&signed.object(&json!({"email": "user@example.com"})).to_string());
        let mut rest = json!({"organization": "acme", "featurebaseJwt": token, "email": "USER@example.com"});
        if user_id_unsigned {
            rest["userId"] = json!("12345");
        }
        let verdict = Event::new(unsigned.object(&rest).to_string())
            .verdict(&common::snapshot(&settings("enforced", locked, rejects), Policy::default()));
        prop_assert!(!verdict.to_string().contains(TOKEN), "{}", verdict);
        prop_assert!(verdict["reason"].is_null() || verdict["reason"] == "attribute_rejected", "{}", verdict);
        prop_assert_eq!(accounted(&verdict), signed.count() + unsigned.count() + usize::from(user_id_unsigned), "{}", verdict);
    }

    #[test]
    fn every_attribute_of_an_event_without_a_token_is_accounted_for(
        unsigned in side(),
        locked in any::<bool>(),
        hashed in any::<bool>(),
        rejects in proptest::sample::select(vec!["attribute", "event"]),
    ) {
        let mut rest = json!({"organization": "acme", "userId": "12345", "email": "user@example.com"});
        if hashed {
            rest["userHash"] = json!(common::hash("12345"));
        }
        let verdict = Event::new(unsigned.object(&rest).to_string())
            .verdict(&common::snapshot(&settings("observe", locked, rejects), Policy::default()));
        prop_assert!(!verdict.to_string().contains(TOKEN), "{}", verdict);
        // Beside a hash of the user id the e-mail is an attribute.
        prop_assert_eq!(accounted(&verdict), unsigned.count() + usize::from(hashed), "{}", verdict);
    }
}
