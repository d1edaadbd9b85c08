//! What is named in place of a file by mistake, and must not stand on a screen or in a log a second time.

use crate::{Desk, Ran};

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiJnZWhlaW0ifQ.c2lnbmF0dXJl";
const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const EVENT: &str = r#"{"type":"identify","payload":{"organization":"acme","email":"ada@example.com"}}"#;

fn ran(desk: &Desk, arguments: &[&str]) -> Ran {
    desk.bare(arguments).output().unwrap().into()
}

#[test]
fn a_token_a_hash_or_an_event_in_place_of_a_file_is_refused_and_not_repeated() {
    let desk = Desk::new();
    let long = EVENT.replace("ada", &"ada".repeat(2_000));
    for arguments in [
        &["explain", TOKEN][..],
        &["explain", EVENT],
        &["explain", &long],
        &["explain", HASH],
        &["explain", "--organization", "acme", "--token", &format!("./{TOKEN}")],
        &["explain", "--organization", "acme", "--user-id", "1", "--hash", &format!("./{HASH}")],
        &["explain", "--organization", "acme", "--token", EVENT],
        &["sign", "--organization", "acme", r#"{"userId":"ada@example.com"}"#],
        &["replay", "--from-file", EVENT],
        &["replay", "--from-file", TOKEN],
        &["advise", "--from-file", EVENT],
        &["settings", "key", "add", "acme", "1", "--reason", "r", "--secret-file", HASH],
    ] {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("a file") && ran.err.contains("- for standard input"), "{}", ran.err);
        for secret in ["eyJ", HASH, "ada", "payload"] {
            assert!(!ran.err.contains(secret) && !ran.out.contains(secret), "{arguments:?}: {}", ran.err);
        }
    }
}

#[test]
fn the_password_of_a_database_in_place_of_a_file_is_not_repeated() {
    let desk = Desk::new();
    desk.write("events", "{}\n");
    for login in ["postgres://ada:geheim@127.0.0.1:9/x", "ada:geheim@127.0.0.1:9/x"] {
        for arguments in [
            &["dev", "--settings", login][..],
            &["config", "show", "-c", login],
            &["run", "-c", login],
            &["run", "--settings", login],
            &["replay", "--from-file", "events", "--settings", login],
            &["settings", "attribute", "lock", "acme", "plan", "--reason", "r", "--settings", login],
            &["config", "check", "--database", "--settings", login],
            &["settings", "plan", login, "--set", "settings.source=postgres://127.0.0.1:9/x"],
        ] {
            let ran = ran(&desk, arguments);
            assert!(ran.code != Some(0) && !ran.err.is_empty(), "{arguments:?}: {:?}", ran.code);
            assert!(!ran.err.contains("geheim") && !ran.out.contains("geheim"), "{arguments:?}: {}", ran.err);
        }
        for arguments in [&["explain", login][..], &["replay", "--from-file", login]] {
            let ran = desk.run(arguments);
            let told = "[redacted]@127.0.0.1:9/x cannot be read";
            assert!(ran.code == Some(1) && ran.err.contains(told), "{arguments:?}: {:?} {}", ran.code, ran.err);
            assert!(!ran.err.contains("geheim"), "{}", ran.err);
        }
    }
    let ran = ran(&desk, &["dev", "--settings", "postgres://ada:geheim@127.0.0.1:9/x"]);
    let told = "--settings: expected the path of a settings file; dev reads no database";
    assert!(ran.code == Some(2) && ran.err.contains(told), "{:?} {}", ran.code, ran.err);
}
