//! `attrsync explain`.

use attrsync::{
    domain::EventTime,
    traffic::{Kind, Traffic},
};
use serde_json::{Value, json};

use crate::{Desk, NOW, Ran, events, kcat_line, lines};

fn explain(desk: &Desk, arguments: &[&str]) -> Ran {
    desk.run(&[&["explain"], arguments].concat())
}

/// A desk with the record of one made-up event.
fn with(kind: Kind) -> Desk {
    let desk = Desk::new();
    let event = Traffic::new(2).make(kind, EventTime::from_millis(NOW));
    desk.write("event.json", kcat_line(&event, 7));
    desk
}

#[test]
fn each_kind_of_verdict_has_its_exit_code() {
    for (kind, code) in [(Kind::Signed, 0), (Kind::Locked, 10), (Kind::Forged, 11), (Kind::Unsigned, 11)] {
        let ran = explain(&with(kind), &["event.json"]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(code), ""), "{kind:?}");
    }
    assert_eq!(explain(&Desk::new(), &["none.json"]).code, Some(1));
    assert_eq!(explain(&Desk::new(), &[]).code, Some(2));
}

#[test]
fn the_steps_of_every_stage_are_told() {
    let ran = explain(&with(Kind::Locked), &["event.json"]);
    for said in [
        "source   · a record of kcat's, events/3/7",
        "judged at 2026-11-22T10:00:00.000Z, the record's timestamp",
        "decode   ✓ JSON; an event of type identify",
        "verify   ✓ organization acme",
        "proof: a token; its header says HS256, kid 2025-06",
        "key 2025-06 (HS256): valid at the time of the event",
        "✓ the token's signature and claims hold, by key 2025-06",
        "✗ plan rejected, locked",
        "Put the attribute into the token that the server signs.",
        "verdict  partial",
    ] {
        assert!(ran.out.contains(said), "{said:?} is missing in:\n{}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "no colour in a pipe");
}

#[test]
fn a_rejection_is_told_with_its_meaning_and_what_to_do() {
    let ran = explain(&with(Kind::Retired), &["event.json"]);
    assert!(ran.out.contains("key 2024-06 (HS256): retired at 2025-07-01T00:00:00.000Z"), "{}", ran.out);
    assert!(ran.out.contains("         ✗ key_retired\n\nverdict  rejected: key_retired\n"), "{}", ran.out);
    assert!(ran.out.contains("to do    Deploy the current key"), "{}", ran.out);
    let ran = explain(&with(Kind::Observed), &["event.json"]);
    assert!(ran.out.contains("✗ would be rejected if proof were enforced, proof_missing"), "{}", ran.out);
}

#[test]
fn no_credential_is_shown_and_values_only_where_they_may_be() {
    for kind in [Kind::Signed, Kind::Companies, Kind::Hashed, Kind::Forged, Kind::ForgedHash] {
        let desk = with(kind);
        let record: Value = serde_json::from_str(&desk.read("event.json")).unwrap();
        let event: Value = serde_json::from_str(record["payload"].as_str().unwrap()).unwrap();
        let payload = event.get("payload").unwrap_or(&event);
        let credential = payload.get("featurebaseJwt").or(payload.get("userHash")).unwrap().as_str().unwrap();
        for more in [&[][..], &["--json"], &["--redact"]] {
            let told = explain(&desk, &[&["event.json"], more].concat()).out;
            assert!(!told.contains(credential), "{kind:?} {more:?}");
            let signature = credential.rsplit('.').next().unwrap();
            assert!(!told.contains(signature), "{kind:?} {more:?}");
        }
    }
    let desk = with(Kind::Signed);
    assert!(explain(&desk, &["event.json"]).out.contains("@example.com"));
    let redacted = explain(&desk, &["event.json", "--redact"]).out;
    assert!(!redacted.contains("@example.com") && redacted.contains("plan = [redacted], signed"), "{redacted}");
}

#[test]
fn redacted_it_leaves_out_every_name_that_the_sender_chose() {
    let desk = Desk::new();
    let signed = desk.run(&["sign", "--organization", "acme", "--claim", "userId=1", "--claim", "plan=Premium"]);
    let token = signed.out.trim();
    let header = |json: &Value| {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let (_, rest) = token.split_once('.').unwrap();
        format!("{}.{rest}", URL_SAFE_NO_PAD.encode(json.to_string()))
    };
    let forged = header(&json!({"alg": "ada-alg", "kid": "ada-kid"}));
    let tell = |event: &Value, more: &[&str]| {
        desk.write("event.json", event.to_string());
        explain(&desk, &[&["event.json", "--redact", "--at", "2026-11-22T10:00:00Z"], more].concat()).out
    };
    let of_widget = |token: &str| json!({"type": "init_ada", "payload": {"organization": "acme", "featurebaseJwt": token, "ada-name": 1, "title": 2}});
    let told = tell(&of_widget(&forged), &[]);
    assert!(told.contains("its header says [redacted], kid [redacted]") && !told.contains("ada-"), "{told}");
    assert!(told.contains("an event of type [redacted]") && !told.contains("init_ada"), "{told}");
    let told = tell(&of_widget(token), &[]);
    assert!(told.contains("plan = [redacted], signed") && told.contains("title rejected, wrong_type"), "{told}");
    assert!(told.contains("[redacted] dropped, not_configured") && !told.contains("ada-"), "{told}");
    assert!(told.contains("its header says HS256, kid 2025-06"), "names of the settings stay: {told}");
    desk.write("event.json", "{\"organization\":\"acme\",\"ada-twice\":1,\"ada-twice\":2}");
    let told = explain(&desk, &["event.json", "--redact", "--type", "identify"]).out;
    assert!(told.contains("it lies at [redacted]") && !told.contains("ada-"), "{told}");
}

#[test]
fn its_json_is_the_verdict_that_replay_gives() {
    let desk = Desk::new();
    let input: String = events(40).iter().enumerate().map(|(offset, event)| kcat_line(event, offset)).collect();
    desk.write("events.ndjson", &input);
    let replayed = desk.run(&["replay", "--from-file", "events.ndjson", "--to-file", "-"]).out;
    for (index, verdict) in replayed.split_inclusive('\n').enumerate() {
        let ran = explain(&desk, &["events.ndjson", "--json", "--line", &(index + 1).to_string()]);
        assert_eq!(ran.out, verdict);
    }
}

#[test]
fn an_event_alone_may_stand_on_many_lines_or_come_through_a_pipe() {
    let desk = Desk::new();
    let event = b"{\n  \"organization\": \"acme\",\n  \"anonymousId\": \"a\"\n}\n";
    desk.write("event.json", event);
    let arguments = ["--json", "--type", "identify", "--at", "2026-11-22T10:00:00Z"];
    let from_file = lines(&explain(&desk, &[&["event.json"], &arguments[..]].concat()).out).remove(0);
    assert_eq!((&from_file["verdict"], &from_file["event"]["id"]), (&json!("accepted"), &json!("event.json/0/1")));
    let piped = desk.feed(&[&["explain", "-"], &arguments[..]].concat(), event);
    assert_eq!(lines(&piped.out).remove(0)["event"]["id"], "stdin/0/1");
    let untyped = explain(&desk, &["event.json"]);
    assert!(untyped.out.contains("--type identify"), "{}", untyped.out);
}

#[test]
fn what_is_not_one_event_is_told_with_the_way_out() {
    let desk = Desk::new();
    desk.write("empty", "");
    desk.write("several", "{}\n{}\n");
    for (arguments, said) in [
        (&["empty"][..], "empty is empty"),
        (&["several", "--line", "3"], "no record on line 3"),
        (&["."], ". is a folder"),
        (&["none"], "none cannot be read: No such file or directory"),
        (&["-"], "stdin is empty"),
    ] {
        let ran = explain(&desk, arguments);
        assert!(ran.code == Some(1) && ran.err.contains(said), "{arguments:?}: {:?} {}", ran.code, ran.err);
    }
    for arguments in [&["several", "--line", "0"][..], &["several", "--at", "soon"], &["several", "--json", "--redact"]]
    {
        assert_eq!(explain(&desk, arguments).code, Some(2), "{arguments:?}");
    }
    let ran = explain(&desk, &["several"]);
    assert!(ran.code == Some(2) && ran.err.contains("pick one with --line"), "{:?} {}", ran.code, ran.err);
}

#[test]
fn what_would_write_over_the_terminal_is_shown_as_text() {
    let desk = Desk::new();
    desk.write("event.json", "{\"organization\":\"globex\",\"userId\":\"\\u001b[2J\\u202ex\",\"a\\u001b[31m\":1}");
    let ran = explain(&desk, &["event.json", "--type", "identify"]);
    assert!(ran.out.contains("userId \\u{1b}[2J\\u{202e}x"), "{}", ran.out);
    assert!(!ran.out.contains(['\u{1b}', '\u{202e}']), "{}", ran.out);
}

#[test]
fn a_huge_event_is_one_verdict() {
    let desk = Desk::new();
    desk.write("huge", vec![b'['; 20_000_000]);
    let ran = explain(&desk, &["huge"]);
    assert!(ran.code == Some(11) && ran.out.contains("verdict  rejected: record_too_large"), "{}", ran.out);
}

#[test]
fn the_size_of_a_huge_event_is_all_of_it() {
    let desk = Desk::new();
    let event = format!("{{\"organization\":\"acme\",\"anonymousId\":\"{}\"}}", "x".repeat(20_000_000));
    desk.write("huge.json", format!("{event}\n \n"));
    desk.write("huge.ndjson", format!("{{}}\r\n{event}\r\n{{}}\r\n"));
    for given in [&["huge.json"][..], &["huge.ndjson", "--line", "2"]] {
        let told = explain(&desk, given).out;
        for said in
            [format!(": {} bytes, no headers", event.len()), format!("{}, where 1048576 is the limit", event.len())]
        {
            assert!(told.contains(&said), "{said:?} is missing in:\n{told}");
        }
        let verdict = lines(&explain(&desk, &[given, &["--json"]].concat()).out).remove(0);
        assert_eq!(verdict["detail"], json!({"limit": 1_048_576, "size": event.len()}));
    }
    let several = desk.feed(&["explain", "-"], format!("{{}}\n{event}\n").as_bytes());
    assert!(several.code == Some(2) && several.err.contains("pick one with --line"), "{}", several.err);
}

#[test]
fn an_organization_that_is_not_there_is_told_beside_those_that_are() {
    let desk = Desk::new();
    let tell = |event: Value, more: &[&str]| {
        desk.write("event.json", event.to_string());
        let ran = explain(&desk, &[&["event.json", "--type", "boot"], more].concat());
        assert_eq!(ran.code, Some(11), "{}", ran.out);
        ran.out
    };
    let misspelt = json!({"organization": "Acme", "anonymousId": "v"});
    let told = tell(misspelt.clone(), &[]);
    let said = "✗ no organization Acme; the settings have acme, globex; acme differs in case alone";
    assert!(told.contains(said) && told.contains("✗ unknown_organization"), "{told}");
    let told = tell(misspelt, &["--redact"]);
    assert!(
        told.contains("✗ no organization [redacted]; [redacted]") && !told.contains("Acme") && !told.contains("globex"),
        "{told}"
    );
    let told = tell(json!({"organization": "initech", "anonymousId": "v"}), &[]);
    assert!(told.contains("✗ no organization initech; the settings have acme, globex  ["), "{told}");
    let told = tell(json!({"organization": "acme", "appId": "nosuch", "anonymousId": "v"}), &[]);
    assert!(told.contains("✗ no organization with the app id nosuch; the settings have acme"), "{told}");
}

#[test]
fn of_many_organizations_the_first_few_are_named() {
    let desk = Desk::new();
    let settings: String = (0..1_500).map(|number| format!("[[organizations]]\nslug = \"o{number:04}\"\n")).collect();
    desk.write("many.toml", settings);
    desk.write("event.json", json!({"organization": "O1234", "anonymousId": "v"}).to_string());
    let ran: Ran =
        desk.bare(&["explain", "event.json", "--type", "boot", "--settings", "many.toml"]).output().unwrap().into();
    let said = "o0018, o0019 and 1,480 more; o1234 differs in case alone";
    assert!(ran.out.contains(said) && !ran.out.contains("o0020"), "{}", ran.out);
}
