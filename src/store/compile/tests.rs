//! What each check says, and what a document becomes.

use std::{ffi::OsString, path::PathBuf};

use super::{Compiled, compile};
use crate::{
    domain::{
        EventTime, Policy,
        key::Standing,
        snapshot::{Attribute, AttributeType, Enforcement, OnRejectedAttribute, Organization},
    },
    store::{EXAMPLE, file, secret::Vault},
};

fn compiled(text: &str) -> Result<Compiled, Vec<String>> {
    let environment = |_: &str| -> Option<OsString> { None };
    let vault = Vault { folder: PathBuf::new(), environment };
    let told = |problems: Vec<_>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    compile(file::parse(text).map_err(told)?, &vault, &Policy::default()).map_err(told)
}

fn acme(rest: &str) -> Result<Compiled, Vec<String>> {
    compiled(&format!("[[organizations]]\nslug = \"acme\"\n{rest}"))
}

fn problems(rest: &str) -> Vec<String> {
    acme(rest).err().unwrap_or_default()
}

fn warnings(compiled: &Compiled) -> Vec<String> {
    compiled.warnings.iter().map(ToString::to_string).collect()
}

fn with_acme<T>(compiled: &Compiled, look: impl FnOnce(&Organization) -> T) -> T {
    look(compiled.snapshot.by_slug("acme").unwrap())
}

const SECRET: &str = "secret = \"0123456789abcdef0123456789abcdef\"";

#[test]
fn the_example_is_without_fault() {
    let compiled = compiled(EXAMPLE).unwrap();
    assert_eq!(warnings(&compiled), [] as [String; 0]);
    let acme = compiled.snapshot.by_app_id("65f1c0de65f1c0de65f1c0de").unwrap();
    assert_eq!(acme.slug.as_str(), "acme");
    assert_eq!(acme.jwt_keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["2025-06", "2024-06", "2023-06"]);
    assert_eq!(acme.jwt_keys[2].validity.at(EventTime::from_millis(0)), Standing::Revoked);
}

#[test]
fn the_smallest_organization_has_the_defaults_and_the_standard_attributes() {
    let compiled = acme("").unwrap();
    with_acme(&compiled, |acme| {
        assert_eq!(acme.enforcement, Enforcement::Enforced);
        assert_eq!(acme.on_rejected_attribute, OnRejectedAttribute::Attribute);
        assert!(acme.membership_locked);
        assert_eq!((acme.user_attributes.iter().len(), acme.company_attributes.iter().len()), (8, 7));
        let locked = acme.user_attributes.iter().filter(|(_, attribute)| attribute.locked).count();
        assert_eq!(locked, 2);
        assert!(acme.user_attributes.get("email").unwrap().locked && acme.user_attributes.get("roles").unwrap().locked);
        assert_eq!(acme.company_attributes.get("companySize").unwrap().kind, AttributeType::Number);
    });
    assert_eq!(warnings(&compiled).len(), 1, "it can verify nobody");
}

#[test]
fn a_standard_attribute_can_be_changed_in_part() {
    let text = "attributes.email.locked = false\nattributes.roles.max_chars = 40\nattributes.phone.archived = true\n\
                attributes.profilePicture.max_chars = 9\nmembership.locked = false";
    with_acme(&acme(text).unwrap(), |acme| {
        let get = |name| acme.user_attributes.get(name).unwrap().clone();
        let text = |max_chars| AttributeType::Text { max_chars, options: Vec::new() };
        assert_eq!(get("email"), Attribute { kind: text(255), locked: false, archived: false });
        let list = AttributeType::TextList { max_chars: 40, options: Vec::new() };
        assert_eq!(get("roles"), Attribute { kind: list, locked: true, archived: false });
        assert_eq!(get("phone"), Attribute { kind: text(255), locked: false, archived: true });
        assert_eq!(get("profilePicture"), Attribute { kind: text(9), locked: false, archived: false });
        assert!(!acme.membership_locked);
    });
}

#[test]
fn keys_are_tried_newest_first_and_ties_by_their_ids_whatever_the_order_of_the_file() {
    let key = |id: &str, from: &str| {
        format!("[[organizations.jwt_keys]]\nid = \"{id}\"\nalgorithm = \"HS256\"\n{SECRET}\n{from}\n")
    };
    let keys = [
        key("always", ""),
        key("d", "valid_from = 2026-01-01"),
        key("c", "valid_from = 2026-02-01"),
        key("b", "valid_from = 2026-01-01"),
    ];
    let ids = with_acme(&acme(&keys.concat()).unwrap(), |acme| {
        acme.jwt_keys.iter().map(|key| key.id.to_string()).collect::<Vec<_>>()
    });
    assert_eq!(ids, ["c", "b", "d", "always"]);
}

#[test]
fn slugs_and_app_ids_are_unique_and_there() {
    assert_eq!(
        compiled("[[organizations]]\nslug = \"acme:eu\"").unwrap_err(),
        [
            "organization acme:eu: slug: holds `:`, which ends the slug in the keys of records (`slug:user`): they could be those \
             of another organization; leave it out"
        ]
    );
    let two = "[[organizations]]\nslug = \"acme\"\napp_id = \"1\"\n[[organizations]]\nslug = \"acme\"\napp_id = \"1\"\n\
               [[organizations]]\nslug = \"\"\napp_id = \"\"";
    assert_eq!(
        compiled(two).unwrap_err(),
        [
            "organization acme: two organizations have this slug; events could mean either",
            "organization acme: app_id: `1` is another organization's app_id too",
            "organization : slug: is empty",
            "organization : app_id: is empty",
        ]
    );
    assert_eq!(compiled("").unwrap_err(), ["no organization; settings.example.toml shows how to write one"]);
    let long = format!("[[organizations]]\nslug = \"{}\"", "x".repeat(256));
    assert!(compiled(&long).unwrap_err()[0].contains("has 256 characters; events with more than 255"));
}

#[test]
fn keys_have_unique_ids_a_secret_and_times_in_order() {
    let text = r#"
[[organizations.jwt_keys]]
id = "k"
algorithm = "HS256"
secret = ""
[[organizations.jwt_keys]]
id = "k"
algorithm = "HS256"
secret = { env = "MISSING" }
[[organizations.identity_secrets]]
id = ""
secret = { file = "/nowhere/at/all" }
valid_from = 2026-02-01
retired_at = 2026-01-01
"#;
    assert_eq!(
        problems(text),
        [
            "organization acme: jwt_keys[k]: two have this id; a verdict names the one that verified by it",
            "organization acme: jwt_keys[k].secret: the text is empty; anybody could sign with an empty secret",
            "organization acme: jwt_keys[k].secret: the environment variable MISSING is not set; set it, or name another",
            "organization acme: identity_secrets[].id: is empty",
            "organization acme: identity_secrets[].retired_at: retired at 2026-01-01T00:00:00.000Z, before it becomes valid \
             at 2026-02-01T00:00:00.000Z; it would never be honoured",
            "organization acme: identity_secrets[].secret: the file /nowhere/at/all cannot be read: No such file or \
             directory (os error 2)",
        ]
    );
}

#[test]
fn at_most_ten_keys_are_valid_at_once() {
    let keys = |valid: usize, retired: usize, revoked: usize| {
        let key = |n: usize, times: &str| {
            format!(
                "[[organizations.identity_secrets]]\nid = \"{n}\"\nsecret = \"the secret of number {n}\"\n{times}\n"
            )
        };
        let valid = (0..valid).map(|n| key(n, "valid_from = 2026-01-01"));
        let retired = (100..100 + retired).map(|n| key(n, "retired_at = 2025-12-31"));
        let revoked = (200..200 + revoked).map(|n| key(n, "revoked_at = 2026-06-01"));
        valid.chain(retired).chain(revoked).collect::<String>()
    };
    assert_eq!(problems(&keys(10, 10, 5)), [] as [String; 0]);
    let told = "organization acme: identity_secrets: 11 are valid at 2026-01-01T00:00:00.000Z, at most 10 may be; set \
                retired_at where one is no longer in use";
    assert_eq!(problems(&keys(11, 1, 0)), [told]);
    assert!(problems(&keys(1, 11, 0))[0].contains("11 are valid at 0001-01-01"));
}

#[test]
fn a_short_secret_is_a_warning() {
    let key = |algorithm: &str, bytes: usize| {
        let secret = "x".repeat(bytes);
        format!("[[organizations.jwt_keys]]\nid = \"k\"\nalgorithm = \"{algorithm}\"\nsecret = \"{secret}\"")
    };
    for (algorithm, asked) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        assert_eq!(warnings(&acme(&key(algorithm, asked)).unwrap()), [] as [String; 0]);
        let warned = warnings(&acme(&key(algorithm, asked - 1)).unwrap());
        assert!(
            warned[0].contains(&format!(
                "has {} bytes; RFC 7518 §3.2 asks for at least {asked} with {algorithm}",
                asked - 1
            ))
        );
    }
}

#[test]
fn a_public_key_is_no_secret() {
    let pem = "\\n-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\\n-----END PUBLIC KEY-----\\n";
    let jwk = |kty: &str| format!(r#" {{ \"kty\": \"{kty}\", \"n\": \"AQAB\" }}"#);
    let (jwt, identity) = ("jwt_keys]]\nalgorithm = \"HS256\"", "identity_secrets]]");
    let told =
        |list: &str, secret: &str| problems(&format!("[[organizations.{list}\nid = \"k\"\nsecret = \"{secret}\""));
    let refused = [pem.to_owned(), jwk("RSA"), jwk("EC"), jwk("OKP"), format!(r#"{{\"keys\": [{}]}}"#, jwk("EC"))];
    for secret in refused {
        for list in [jwt, identity] {
            let problems = told(list, &secret);
            assert!(problems[0].contains("[k].secret: is the text of a public key"), "{secret}: {problems:?}");
            assert_eq!(problems.len(), 1);
        }
    }
    for secret in [jwk("oct"), "{ not JSON".to_owned(), "{}".to_owned(), "----BEGIN".to_owned()] {
        assert_eq!(told(jwt, &secret), [] as [String; 0], "{secret}");
    }
}

#[test]
fn a_jwk_set_may_hold_keys_for_other_purposes_and_none_that_is_private() {
    let key =
        r#"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"#;
    let encrypts = r#"{\"kty\":\"RSA\",\"use\":\"enc\",\"kid\":\"b\",\"n\":\"AQAB\"}"#;
    let unknown = r#"{\"kty\":\"EC\",\"alg\":\"ES256K\",\"kid\":\"c\"}"#;
    let with = |keys: &[&str]| {
        let keys = keys.join(",");
        compiled(&format!("[[organizations]]\nslug = \"acme\"\njwks = \"{{\\\"keys\\\":[{keys}]}}\""))
    };
    let all = with(&[encrypts, key, unknown]).unwrap();
    with_acme(&all, |acme| assert_eq!(acme.jwt_keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["a"]));
    let told = warnings(&all);
    assert!(told[0].contains("keys[0] is left out: it is for encryption"), "{told:?}");
    assert!(told[1].contains("keys[2] is left out: it is for \"ES256K\""), "{told:?}");
    let told = with(&[encrypts]).unwrap_err();
    assert!(told[0].contains("has no key that verifies a token"), "{told:?}");
    let private = encrypts.replace("AQAB", "AQAB\\\",\\\"d\\\":\\\"s3cret");
    for secret in [private.as_str(), r#"{\"kty\":\"oct\",\"alg\":\"A256GCM\",\"k\":\"s3cret\"}"#] {
        let told = with(&[key, secret]).unwrap_err();
        assert!(told[0].contains("keys[1]: is a private key") && !told[0].contains("s3cret"), "{told:?}");
    }
}

const ONE: &str = "the first secret, of 32 bytes or more";
const OTHER: &str = "the other secret, of 32 bytes or more";

/// Keys and secrets of these ids, secrets and further fields.
fn keys(list: &str, keys: &[(&str, &str, &str)]) -> String {
    let algorithm = if list == "jwt_keys" { "algorithm = \"HS256\"" } else { "" };
    let key = |(id, secret, rest): &(&str, &str, &str)| {
        format!("[[organizations.{list}]]\nid = \"{id}\"\n{algorithm}\nsecret = \"{secret}\"\n{rest}\n")
    };
    keys.iter().map(key).collect()
}

#[test]
fn what_was_revoked_never_comes_back_under_another_id() {
    let revoked = "revoked_at = 2026-01-01";
    let again = "secret: is that of jwt_keys[old], which is revoked: never again, under no other id; make a new one";
    let jwt = keys("jwt_keys", &[("old", ONE, revoked), ("new", ONE, "retired_at = 2026-02-01")]);
    assert_eq!(problems(&jwt), [format!("organization acme: jwt_keys[new].{again}")]);
    let both = keys("jwt_keys", &[("old", ONE, revoked)]) + &keys("identity_secrets", &[("iv", ONE, "")]);
    assert_eq!(problems(&both), [format!("organization acme: identity_secrets[iv].{again}")]);
    let twice = keys("jwt_keys", &[("old", ONE, revoked), ("older", ONE, revoked), ("new", OTHER, "")]);
    assert_eq!(problems(&twice), [] as [String; 0]);
    // One RSA key, as PEM and as a JWK.
    let fixtures: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/settings.json")).unwrap();
    let mut organization = fixtures["organizations"][2].clone();
    organization["jwt_keys"][0]["revoked_at"] = "2026-01-01T00:00:00Z".into();
    organization["jwt_keys"].as_array_mut().unwrap().truncate(2);
    let told =
        compiled(&toml::to_string(&serde_json::json!({ "organizations": [organization] })).unwrap()).unwrap_err();
    let again = again.replace("secret:", "public_key:").replace("[old]", "[rs256]");
    assert_eq!(told, [format!("organization initech: jwt_keys[rs384].{again}")]);
}

#[test]
fn a_secret_that_is_used_twice_is_a_warning_that_does_not_print_it() {
    let twice = warnings(&acme(&keys("jwt_keys", &[("a", ONE, ""), ("b", OTHER, ""), ("c", ONE, "")])).unwrap());
    assert_eq!(
        twice,
        [
            "organization acme: jwt_keys[a].secret: is that of jwt_keys[c] too, and to revoke one would leave the other in use; \
          give each a secret of its own"
        ]
    );
    let both = keys("jwt_keys", &[("a", ONE, "")]) + &keys("identity_secrets", &[("iv", ONE, "")]);
    assert_eq!(
        warnings(&acme(&both).unwrap()),
        [
            "organization acme: jwt_keys[a].secret: is that of identity_secrets[iv] too, and whoever gets a hash of a text of their \
          choice has the signature of a token; give each a secret of its own"
        ]
    );
    let apart = keys("jwt_keys", &[("a", ONE, "")]) + &keys("identity_secrets", &[("iv", OTHER, "")]);
    assert_eq!(warnings(&acme(&apart).unwrap()), [] as [String; 0]);
}

#[test]
fn attributes_have_a_fitting_name_and_type() {
    let text = r#"
[organizations.attributes]
"" = { type = "text" }
role = { type = "text" }
featurebase_jwt = { type = "text" }
roles = { type = "text" }
untyped = { locked = true }
age = { type = "number", max_chars = 3, options = ["1"] }
none = { type = "text", max_chars = 0 }
empty = { type = "text", options = [] }
twice = { type = "text_list", max_chars = 2, options = ["a", "a", "abc"] }
[organizations.company_attributes]
companies = { type = "text" }
roles = { type = "text" }
size = { type = "number" }
untyped = {}
"#;
    assert_eq!(
        problems(text),
        [
            "organization acme: attributes.: is empty",
            "organization acme: attributes.age.max_chars: only for type text or text_list; leave it out",
            "organization acme: attributes.age.options: only for type text or text_list; leave it out",
            "organization acme: attributes.empty.options: is empty and accepts no text; leave it out where any text is fine",
            "organization acme: attributes.featurebase_jwt: is a credential, or looks like one, and is never emitted; give \
             the attribute another name",
            "organization acme: attributes.none.max_chars: 0 accepts no text; archive the attribute instead",
            "organization acme: attributes.role: is another spelling of `roles`; configure that one",
            "organization acme: attributes.roles.type: a text that is sent here becomes a list of one, so that this type would \
             refuse it; leave the type out, or give the attribute another name",
            "organization acme: attributes.twice.options: `a` stands twice",
            "organization acme: attributes.twice.options: `abc` is longer than max_chars (2)",
            "organization acme: attributes.untyped.type: is missing; it is text, number, boolean, date or text_list",
            "organization acme: company_attributes.companies: is what a verdict calls the membership; give the attribute another \
             name",
            "organization acme: company_attributes.size: is another spelling of `companySize`; configure that one",
            "organization acme: company_attributes.untyped.type: is missing; it is text, number, boolean, date or text_list",
        ]
    );
    let many = |number: usize| (0..number).map(|n| format!("attributes.a{n}.type = \"text\"\n")).collect::<String>();
    assert_eq!(problems(&many(250)), [] as [String; 0]);
    assert_eq!(problems(&many(251)), ["organization acme: attributes: 251 are listed, at most 250 may be"]);
}

#[test]
fn what_does_not_read_is_told_beside_what_is_wrong_and_not_twice() {
    let text = "attributes.plan.type = \"txt\"\nattributes.role.type = \"text\"\ntoken.audiences = [\"\"]";
    assert_eq!(
        problems(text),
        [
            "line 3: organization acme: attributes.plan.type: unknown variant `txt`, expected one of `text`, `number`, \
             `boolean`, `date`, `text_list`",
            "organization acme: token.audiences: an empty text; leave the list out where nothing is checked",
            "organization acme: attributes.role: is another spelling of `roles`; configure that one",
        ]
    );
}

#[test]
fn enforcement_off_is_a_warning_unless_the_deployment_allows_it() {
    let compiled = acme("enforcement = \"off\"").unwrap();
    assert!(warnings(&compiled)[0].starts_with("organization acme: enforcement: `off` counts as `enforced`"));
}
