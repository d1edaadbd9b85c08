//! `attrsync advise`, held against what the events were made of.

use serde_json::{Value, json};

use crate::{Desk, NOW, Ran, events, kcat_line};

fn advice(desk: &Desk, more: &[&str]) -> Value {
    let ran = desk.run(&[&["advise", "--from-file", "events.ndjson", "--json"], more].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// The advice of one organization by rule and subject; that of users' attributes where companies have one of the name.
fn item<'a>(advice: &'a Value, slug: &str, rule: &str, about: &str) -> Option<&'a Value> {
    let organizations = advice["organizations"].as_array().unwrap();
    let of = organizations.iter().find(|one| one["organization"] == slug).unwrap();
    of["advice"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["advice"] == rule && item["about"] == about && item["of"] != "company")
}

/// Each line of the verdicts of the same events.
fn verdicts(desk: &Desk) -> Vec<Value> {
    let ran = desk.run(&["replay", "--from-file", "events.ndjson", "--to-file", "-"]);
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_advised_is_what_the_verdicts_count() {
    let desk = Desk::new();
    let lines: String = events(4_000).iter().enumerate().map(|(offset, event)| kcat_line(event, offset)).collect();
    desk.write("events.ndjson", lines);
    let (advice, verdicts) = (advice(&desk, &[]), verdicts(&desk));
    let count = |takes: &dyn Fn(&Value) -> bool| verdicts.iter().filter(|verdict| takes(verdict)).count();
    let of = |slug: &'static str| move |verdict: &Value| verdict["organization"] == slug;
    let verified = |method: &'static str| {
        move |verdict: &Value| {
            of("acme")(verdict)
                && verdict["verification"]["method"] == method
                && verdict["verification"]["status"] == "verified"
        }
    };
    let dropped = |verdict: &Value| {
        let dropped = verdict["dropped"].as_array().unwrap().iter();
        let drops = dropped.filter(|one| one["attribute"] == "utm_source" && one["reason"] == "not_configured");
        of("acme")(verdict) && drops.count() == 1
    };
    let name = |verified: bool| {
        move |verdict: &Value| of("acme")(verdict) && verdict["attributes"]["name"]["verified"] == json!(verified)
    };
    assert_eq!(advice["events"], json!(4_000));
    let lock = item(&advice, "acme", "lock", "name").unwrap();
    assert_eq!(lock["figures"]["signed"], json!(count(&name(true))));
    assert_eq!(lock["figures"]["unsigned"], json!(count(&name(false))));
    assert_eq!(lock["command"], "attrsync settings attribute lock acme name --reason 'it is signed'");
    let configure = item(&advice, "acme", "configure", "utm_source").unwrap();
    assert_eq!(configure["figures"]["events"], json!(count(&dropped)));
    assert!(configure["command"].as_str().unwrap().contains("--type text"), "{configure}");
    let experiment = item(&advice, "acme", "configure", "experiment").unwrap();
    assert!(experiment["command"].as_str().unwrap().contains("--type number"), "{experiment}");
    let title = item(&advice, "acme", "configure", "Title").unwrap();
    assert!(title["says"].as_str().unwrap().contains("differs in case"), "{title}");
    let migrate = item(&advice, "acme", "migrate", "iv-1").unwrap();
    assert_eq!(migrate["figures"]["jwt"], json!(count(&verified("jwt"))));
    assert_eq!(migrate["figures"]["hmac"], json!(count(&verified("hmac"))));
    let enforce = item(&advice, "globex", "enforce", "globex").unwrap();
    let marked = |verdict: &Value| of("globex")(verdict) && !verdict["verification"]["wouldReject"].is_null();
    assert_eq!(enforce["figures"]["refused"], json!(count(&marked)));
    let expire = item(&advice, "acme", "expire", "acme").unwrap();
    assert_eq!((&expire["figures"]["withoutExpiry"], &expire["ready"]), (&json!(0), &json!("now")));
    assert_eq!(item(&advice, "acme", "lock", "plan"), None, "it is locked");
}

#[test]
fn enforcement_that_is_off_is_judged_as_if_it_observed() {
    let desk = Desk::new();
    let event = json!({"organization": "local", "userId": "1", "type": "x"});
    desk.write("events.ndjson", format!("{event}\n"));
    desk.write("settings.toml", "[[organizations]]\nslug = \"local\"\nenforcement = \"off\"\n");
    let arguments =
        ["advise", "--from-file", "events.ndjson", "--type", "identify", "--set", "security.allow_off=true", "--json"];
    let ran: Ran = desk.bare(&arguments).arg("--settings").arg("settings.toml").output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let advice: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(item(&advice, "local", "enforce", "local").unwrap()["figures"]["refused"], json!(1), "{advice}");
}

#[test]
fn tokens_without_an_expiry_are_counted_and_the_organization_is_chosen() {
    let desk = Desk::new();
    let sign = |more: &[&str]| {
        let ran = desk.run(&[&["sign", "--organization", "acme", "--claim", "userId=1"], more].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.out.trim().to_owned()
    };
    let tokens = [sign(&[]), sign(&["--expires-in", "1h"])];
    let line = |token: &String| json!({"organization": "acme", "featurebaseJwt": token}).to_string() + "\n";
    desk.write(
        "events.ndjson",
        tokens.iter().map(line).collect::<String>() + "{\"organization\":\"globex\",\"anonymousId\":\"1\"}\n",
    );
    let advice = advice(&desk, &["--type", "identify", "--organization", "acme"]);
    let figures = &item(&advice, "acme", "expire", "acme").unwrap()["figures"];
    assert_eq!(figures, &json!({"tokens": 2, "withoutExpiry": 1}));
    assert_eq!(advice["organizations"].as_array().unwrap().len(), 1);
}

#[test]
fn one_event_is_no_events_and_what_to_look_at_is_the_file_that_was_read() {
    let desk = Desk::new();
    let event = |id: usize| json!({"organization": "globex", "userId": id.to_string()}).to_string() + "\n";
    desk.write("the events.ndjson", event(1));
    let ran = desk.run(&["advise", "--from-file", "the events.ndjson", "--type", "identify"]);
    assert!(ran.out.contains("1 event was judged by settings"), "{}", ran.out);
    assert!(ran.out.contains("globex  1 event, the last at"), "{}", ran.out);
    let look = "attrsync replay --from-file 'the events.ndjson' --type identify --compare now next.toml --organization globex";
    assert!(ran.out.contains(look) && !ran.out.contains("--since"), "{}", ran.out);
    let ran = desk.feed(&["advise", "--from-file", "-", "--type", "identify"], (event(1) + &event(2)).as_bytes());
    assert!(
        ran.out.contains("2 events were judged") && ran.out.contains("replay --from-file - --type identify --compare"),
        "{}",
        ran.out
    );
}

#[test]
fn hostile_names_are_shown_and_never_run() {
    let desk = Desk::new();
    let hostile = "x';reboot #\u{1b}[2J\u{202e}";
    let record = json!({"topic": "events", "partition": 0, "offset": 1, "ts": NOW,
        "payload": json!({"type": "identify", "payload": {"organization": "globex", "userId": "1", hostile: 1}}).to_string()});
    desk.write("events.ndjson", format!("{record}\n{record}\n"));
    let ran = desk.run(&["advise", "--from-file", "events.ndjson"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.out.contains("reboot") && !ran.out.contains('\u{1b}') && !ran.out.contains('\u{202e}'),
        "{:?}",
        ran.out
    );
    assert!(!ran.out.contains("attribute add"), "{}", ran.out);
    assert!(ran.out.contains("run") || ran.out.contains("then"), "{}", ran.out);
}
