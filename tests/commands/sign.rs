//! `attrsync sign`, and what `attrsync explain` says of a token or a hash alone.

use serde_json::{Value, json};

use crate::{Desk, Ran, lines};

/// Within the validity of the sample's key `2025-06`.
const AT: [&str; 2] = ["--at", "2026-11-22T10:00:00Z"];

fn sign(desk: &Desk, arguments: &[&str]) -> Ran {
    desk.run(&[&["sign", "--organization", "acme"], arguments, &AT].concat())
}

/// What explain makes of what sign printed.
fn explained(desk: &Desk, what: &str, signed: &str, more: &[&str]) -> Ran {
    desk.feed(&[&["explain", what, "-", "--organization", "acme"], more].concat(), signed.as_bytes())
}

fn verdict(desk: &Desk, what: &str, signed: &str, more: &[&str]) -> Value {
    lines(&explained(desk, what, signed, &[&["--json"], &AT[..], more].concat()).out).remove(0)
}

#[test]
fn a_signed_token_verifies_until_it_expires() {
    let desk = Desk::new();
    let claims = ["--claim", "userId=12345", "--claim", "plan=Premium", "--claim", "roles:=[\"admin\"]"];
    let signed = sign(&desk, &[&claims[..], &["--expires-in", "15m"]].concat());
    assert_eq!((signed.code, signed.err.as_str()), (Some(0), ""));
    let verdict = verdict(&desk, "--token", &signed.out, &[]);
    assert_eq!(
        verdict["verification"],
        json!({"method": "jwt", "status": "verified", "keyId": "2025-06", "wouldReject": null})
    );
    assert_eq!(verdict["user"]["userId"], "12345");
    assert_eq!(verdict["attributes"]["roles"], json!({"value": ["admin"], "verified": true}));
    let late = explained(&desk, "--token", &signed.out, &["--at", "2026-11-22T10:16:01Z"]);
    assert_eq!(late.code, Some(11), "{}", late.out);
    for said in [
        "✓ the signature covers header and payload as they were sent  [RFC 7515 §5.2, RFC 7518 §3]",
        "✗ exp is 2026-11-22T10:15:00.000Z and not required; the event is at 2026-11-22T10:16:01.000Z, leeway 60 s  [RFC 7519 §4.1.4",
        "verdict  rejected: token_expired",
    ] {
        assert!(late.out.contains(said), "{said:?} is missing in:\n{}", late.out);
    }
}

#[test]
fn claims_come_from_a_file_or_a_pipe_and_the_command_line_wins() {
    let desk = Desk::new();
    desk.write("claims.json", r#"{"userId": "1", "email": "ada@example.com", "iat": 1795000000}"#);
    let from_file = sign(&desk, &["claims.json", "--claim", "userId=2"]);
    assert_eq!(
        verdict(&desk, "--token", &from_file.out, &[])["user"],
        json!({"userId": "2", "email": "ada@example.com", "anonymousId": null})
    );
    let arguments = [&["sign", "-", "--organization", "65f1c0de65f1c0de65f1c0de"][..], &AT].concat();
    let piped = desk.feed(&arguments, br#"{"userId": "3"}"#);
    assert_eq!(verdict(&desk, "--token", &piped.out, &[])["user"]["userId"], "3");
    let told: Value = serde_json::from_str(&sign(&desk, &["--claim", "userId=1", "--json"]).out).unwrap();
    assert_eq!(
        (&told["keyId"], &told["algorithm"], &told["organization"]),
        (&json!("2025-06"), &json!("HS256"), &json!("acme"))
    );
}

/// The claims of a token.
fn claims(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.trim().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn a_claim_wins_over_the_file_and_says_nothing_that_another_option_says() {
    let desk = Desk::new();
    desk.write("claims.json", r#"{"userId": "1", "exp": 7}"#);
    let of = |arguments: &[&str]| claims(&sign(&desk, arguments).out);
    assert_eq!(of(&["--claim", "userId=1", "--claim", "exp:=5"])["exp"], 5);
    assert_eq!(of(&["--claim", "userId=1", "--claim", "iat:=1", "--expires-in", "1h"])["exp"], 1_795_345_200);
    assert_eq!(of(&["claims.json"])["exp"], 7);
    assert_eq!(of(&["claims.json", "--expires-in", "1h"])["exp"], 1_795_345_200);
    assert_eq!(of(&["claims.json", "--claim", "exp:=5"])["exp"], 5);
    let both = sign(&desk, &["claims.json", "--expires-in", "5h", "--claim", "exp:=3"]);
    let said = "--expires-in and --claim exp say the same";
    assert!(both.code == Some(2) && both.out.is_empty() && both.err.contains(said), "{:?} {}", both.code, both.err);
}

#[test]
fn what_would_be_signed_otherwise_than_it_is_written_is_refused() {
    let desk = Desk::new();
    let signed = sign(&desk, &["--claim", "userId:=12345678901234567890"]);
    assert_eq!(claims(&signed.out)["userId"].to_string(), "12345678901234567890");
    for (claim, said) in [
        (
            "userId:=12345678901234567890123",
            "userId would not be signed as it is: a number of it has more digits than are kept",
        ),
        ("companies:=[{\"id\":1,\"id\":2}]", "\"id\" is there twice"),
    ] {
        let ran = sign(&desk, &["--claim", claim]);
        assert!(ran.code == Some(2) && ran.out.is_empty() && ran.err.contains(said), "{:?} {}", ran.code, ran.err);
    }
    for (text, said) in [
        (
            r#"{"userId": "1", "plan": "Pro", "plan": "Free"}"#,
            "claims.json would not be signed as they are: \"plan\" is there twice",
        ),
        (
            r#"{"userId": 12345678901234567890123}"#,
            "userId: a number of it has more digits than are kept; write it as text",
        ),
    ] {
        desk.write("claims.json", text);
        let ran = sign(&desk, &["claims.json"]);
        assert!(ran.code == Some(1) && ran.out.is_empty() && ran.err.contains(said), "{:?} {}", ran.code, ran.err);
        assert!(!ran.err.contains("123456") && !ran.err.contains("Free"), "{}", ran.err);
    }
}

#[test]
fn a_time_at_which_no_key_is_honoured_is_told() {
    let desk = Desk::new();
    let ran = desk.run(&["sign", "--organization", "acme", "--claim", "userId=1", "--at", "2024-01-01"]);
    let said = "no key with a secret is honoured at 2024-01-01T00:00:00.000Z; name one with --key, of 2025-06";
    assert!(ran.code == Some(1) && ran.err.contains(said), "{:?} {}", ran.code, ran.err);
}

#[test]
fn a_hash_verifies_for_the_identifier_that_it_covers() {
    let desk = Desk::new();
    let of = |identifier: &str| sign(&desk, &["--hash", identifier]).out;
    for (hash, identity, status) in [
        (of("12345"), ["--user-id", "12345"], "verified"),
        (of("ada@example.com"), ["--email", "ada@example.com"], "verified"),
        (of("12345"), ["--user-id", "67890"], "failed"),
    ] {
        assert_eq!(verdict(&desk, "--hash", &hash, &identity)["verification"]["status"], status, "{identity:?}");
    }
    assert_eq!(verdict(&desk, "--hash", &of("c1"), &["--company", "c1"])["companies"][0]["verified"], true);
    let wrong = explained(&desk, "--hash", &of("c1"), &["--company", "c2"]);
    assert!(wrong.code == Some(10) && wrong.out.contains("company_hash_mismatch"), "{}", wrong.out);
    let both = explained(&desk, "--hash", &of("ada@example.com"), &["--user-id", "1", "--email", "ada@example.com"]);
    for said in ["it covers userId, since that was sent: 1", "hint     The hash covers `email`"] {
        assert!(both.out.contains(said), "{said:?} is missing in:\n{}", both.out);
    }
}

#[test]
fn a_key_is_named_and_what_is_wrong_with_it_is_told() {
    let desk = Desk::new();
    for (key, reason, doubt) in [("2024-06", "key_retired", "is retired"), ("2023-06", "key_revoked", "is revoked")] {
        let signed = sign(&desk, &["--claim", "userId=1", "--key", key]);
        assert!(signed.code == Some(0) && signed.err.contains(doubt), "{}", signed.err);
        assert_eq!(verdict(&desk, "--token", &signed.out, &[])["reason"], reason);
    }
}

#[test]
fn a_token_that_names_nobody_is_told_to_be_rejected() {
    let desk = Desk::new();
    for (claim, named) in
        [("plan=Pro", false), ("userId=", false), ("userId:=null", false), ("user_id=1", true), ("email=a@b.c", true)]
    {
        let signed = sign(&desk, &["--claim", claim]);
        let warned = signed.err.contains("rejected as token_identity_missing");
        assert_eq!((signed.code, warned), (Some(0), !named), "{claim}: {}", signed.err);
        let rejected = verdict(&desk, "--token", &signed.out, &[])["reason"] == "token_identity_missing";
        assert_eq!(rejected, !named, "{claim}");
    }
}

#[test]
fn the_time_is_taken_as_other_commands_take_it() {
    let desk = Desk::new();
    let ran = desk.run(&["sign", "--organization", "acme", "--claim", "userId=1", "--at", "1d"]);
    let now = jiff::Timestamp::now().as_second();
    let issued = claims(&ran.out)["iat"].as_i64().unwrap();
    assert!((now - 86_400 - 60..=now - 86_400).contains(&issued), "{issued} {now}");
}

#[test]
fn no_database_is_asked_for_keys_that_do_not_sign() {
    let line =
        ["sign", "--organization", "acme", "--claim", "userId=1", "--set", "settings.source=postgres://127.0.0.1:9/x"];
    let ran: Ran = Desk::new().bare(&line).output().unwrap().into();
    assert!(ran.code == Some(2) && ran.err.contains("only keys of a settings file sign"), "{:?} {}", ran.code, ran.err);
}

#[test]
fn what_cannot_sign_is_refused_with_the_way_out() {
    let desk = Desk::new();
    let key = r#"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"#;
    let settings = format!(
        "[[organizations]]\nslug = \"acme\"\n[[organizations.jwt_keys]]\nid = \"public\"\nalgorithm = \"EdDSA\"\npublic_key = \"{key}\"\n"
    );
    desk.write("public.toml", settings);
    let of = |arguments: &[&str]| {
        let output = desk.bare(&[&["sign", "--organization"], arguments].concat()).output().unwrap();
        Ran::from(output)
    };
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/settings.example.toml");
    for (settings, arguments, said) in [
        (
            "public.toml",
            &["acme", "--claim", "userId=1", "--key", "public"][..],
            "cannot sign; sign where its private key is",
        ),
        (
            "public.toml",
            &["acme", "--claim", "userId=1"],
            "no key with a secret is honoured now; name one with --key, of public",
        ),
        ("public.toml", &["acme", "--hash", "1"], "has no identity secret to sign with"),
        (
            samples,
            &["acme", "--claim", "userId=1", "--key", "2099-01"],
            "no key \"2099-01\" in the settings file; it has 2025-06",
        ),
        (
            samples,
            &["acme", "--claim", "userId=1", "--key", "iv-1"],
            "\"iv-1\" is an identity secret: it makes hashes (--hash)",
        ),
        (samples, &["acme", "--hash", "1", "--key", "2025-06"], "\"2025-06\" is a key: it signs tokens"),
        (samples, &["initech", "--claim", "userId=1"], "no organization \"initech\"; the settings have acme, globex"),
    ] {
        let ran = of(&[arguments, &["--settings", settings]].concat());
        assert!(
            ran.code == Some(1) && ran.err.contains(said) && ran.out.is_empty(),
            "{arguments:?}: {:?} {}",
            ran.code,
            ran.err
        );
    }
    let ran = of(&["acme", "--claim", "userId=1", "--settings", "none.toml"]);
    assert!(ran.code == Some(2) && ran.err.contains("the settings file none.toml cannot be read"), "{}", ran.err);
}

#[test]
fn what_says_nothing_to_sign_is_refused() {
    let desk = Desk::new();
    for arguments in [
        &["--hash", "1", "--claim", "a=b"][..],
        &["--claim", "=b"],
        &["--claim", "a:=b"],
        &["--expires-in", "soon"],
        &["--hash", ""],
    ] {
        assert_eq!(sign(&desk, arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn a_credential_among_the_arguments_is_not_taken() {
    let desk = Desk::new();
    let token = sign(&desk, &["--claim", "userId=1"]).out;
    let hash = sign(&desk, &["--hash", "1"]).out;
    for (what, credential, more) in [("--token", token.trim(), &[][..]), ("--hash", hash.trim(), &["--user-id", "1"])] {
        let ran = desk.run(&[&["explain", what, credential, "--organization", "acme"], more].concat());
        assert!(ran.code == Some(2) && ran.err.contains("stays in the shell's history"), "{}", ran.err);
        assert!(!ran.err.contains(credential) && !ran.out.contains(credential), "{}", ran.err);
    }
    for arguments in [
        &["explain", "--token", "-"][..],
        &["explain", "--hash", "-", "--organization", "acme"],
        &["explain", "event.json", "--organization", "acme"],
        &["explain", "event.json", "--token", "-", "--organization", "acme"],
    ] {
        assert_eq!(desk.run(arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn no_step_shows_the_credential_that_it_is_about() {
    let desk = Desk::new();
    let token = sign(&desk, &["--claim", "userId=1"]).out;
    let token = token.trim();
    let (covered, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{covered}.{}", signature.chars().rev().collect::<String>());
    for given in [token, &forged, "not.a-token", covered] {
        let told = explained(&desk, "--token", given, &AT).out;
        assert!(!told.contains(given) && !told.contains(signature), "{told}");
        assert!(!told.contains("sample-acme"), "{told}");
    }
}
