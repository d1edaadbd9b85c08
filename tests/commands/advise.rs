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
    let yesterday = json!({"topic": "events", "partition": 3, "offset": 4_000, "ts": NOW - 86_400_000,
        "payload": json!({"type": "boot", "payload": {"organization": "acme", "anonymousId": "v"}}).to_string()});
    desk.write("events.ndjson", format!("{lines}{yesterday}\n"));
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
    assert_eq!(advice["events"], json!(4_001));
    let lock = item(&advice, "acme", "lock", "name").unwrap();
    assert_eq!(lock["figures"]["signed"], json!(count(&name(true))));
    assert_eq!(lock["figures"]["unsigned"], json!(count(&name(false))));
    let configure = item(&advice, "acme", "configure", "utm_source").unwrap();
    assert_eq!(configure["figures"]["events"], json!(count(&dropped)));
    assert!(configure["says"].as_str().unwrap().contains("seem to be of type text"), "{configure}");
    let experiment = item(&advice, "acme", "configure", "experiment").unwrap();
    assert!(experiment["says"].as_str().unwrap().contains("seem to be of type number"), "{experiment}");
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
fn settings_in_a_file_are_edited_there_and_no_command_is_told() {
    let desk = Desk::new();
    let lines: String = events(500).iter().enumerate().map(|(offset, event)| kcat_line(event, offset)).collect();
    desk.write("events.ndjson", lines);
    let advice = advice(&desk, &[]);
    let items: Vec<_> =
        advice["organizations"].as_array().unwrap().iter().flat_map(|of| of["advice"].as_array().unwrap()).collect();
    assert!(!items.is_empty() && items.iter().all(|item| item["command"].is_null()), "{advice}");
    let told = desk.run(&["advise", "--from-file", "events.ndjson"]).out;
    for said in [
        "settings.example.toml: [organizations.attributes] name = { …, locked = true }",
        "settings.example.toml: enforcement = \"enforced\"",
        "settings.example.toml: [organizations.token] require_expiry = true",
    ] {
        assert!(told.contains(said), "{said:?} is missing in:\n{told}");
    }
    assert!(!told.contains("attrsync settings "), "{told}");
}

#[test]
fn an_organization_is_chosen_by_either_name_and_one_that_is_not_there_is_refused() {
    let desk = Desk::new();
    desk.write("events.ndjson", "{\"organization\":\"acme\",\"anonymousId\":\"1\"}\n");
    let of = |name| {
        desk.run(&["advise", "--from-file", "events.ndjson", "--type", "boot", "--json", "--organization", name])
    };
    for name in ["acme", "65f1c0de65f1c0de65f1c0de"] {
        let advice: Value = serde_json::from_str(&of(name).out).unwrap();
        assert_eq!(
            (&advice["events"], &advice["organizations"][0]["organization"]),
            (&json!(1), &json!("acme")),
            "{name}"
        );
    }
    let ran = of("Acme");
    assert!(ran.code == Some(1) && ran.out.is_empty(), "{:?} {}", ran.code, ran.out);
    let said = "no organization \"Acme\"; the settings have acme, globex; acme differs in case alone";
    assert!(ran.err.contains(said), "{}", ran.err);
    let replay = |name| {
        desk.run(&["replay", "--from-file", "events.ndjson", "--type", "boot", "--json", "--organization", name])
    };
    let summary: Value = serde_json::from_str(&replay("65f1c0de65f1c0de65f1c0de").out).unwrap();
    assert_eq!(summary["records"], json!(1), "{summary}");
    let ran = replay("nosuch");
    assert!(
        ran.code == Some(1) && ran.err.contains("no organization \"nosuch\"; the settings have acme, globex"),
        "{}",
        ran.err
    );
}

#[test]
fn of_few_events_or_a_short_time_nothing_is_done_at_once() {
    let desk = Desk::new();
    let event = |minute: i64| {
        json!({"topic": "events", "partition": 0, "offset": minute, "ts": NOW + minute * 60_000,
            "payload": json!({"type": "boot", "payload": {"organization": "globex", "anonymousId": "v"}}).to_string()})
    };
    for (events, step, ready, says) in [
        (1, 60, "first", "But only 1 event was looked at; choose more, as with --since 30d"),
        (99, 60, "first", "But only 99 events were looked at"),
        (200, 1, "first", "But the events that were looked at came within less than a day"),
        (200, 60, "now", "enforce them"),
    ] {
        desk.write(
            "events.ndjson",
            (0..events).map(|number| format!("{}\n", event(number * step))).collect::<String>(),
        );
        let advice = advice(&desk, &[]);
        let enforce = item(&advice, "globex", "enforce", "globex").unwrap();
        assert_eq!(enforce["ready"], ready, "{enforce}");
        assert!(enforce["says"].as_str().unwrap().contains(says), "{enforce}");
    }
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
    let look = |file: &str| {
        let settings = concat!(env!("CARGO_MANIFEST_DIR"), "/settings.example.toml");
        format!(
            "attrsync replay --from-file {file} --type identify --settings {settings} --compare now next.toml --organization globex"
        )
    };
    assert!(ran.out.contains(&look("'the events.ndjson'")) && !ran.out.contains("--since"), "{}", ran.out);
    let ran = desk.feed(&["advise", "--from-file", "-", "--type", "identify"], (event(1) + &event(2)).as_bytes());
    assert!(ran.out.contains("2 events were judged") && ran.out.contains(&look("-")), "{}", ran.out);
    let brokers = ["advise", "--from-file", "the events.ndjson", "--type", "identify", "--brokers", "b:1,c:2"];
    let ran = desk.run(&brokers);
    assert!(
        ran.out.contains("attrsync replay --from-file 'the events.ndjson' --brokers b:1,c:2 --type"),
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
    assert!(!ran.out.contains("attribute add") && !ran.out.contains("type = "), "{}", ran.out);
    assert!(ran.out.contains("settings.example.toml: enforcement = \"enforced\""), "others have theirs: {}", ran.out);
}

/// An organization that observes, and whose plan and companies anybody can set.
const OBSERVING: &str = r#"
[[organizations]]
slug = "acme"
enforcement = "observe"
membership.locked = false

[[organizations.jwt_keys]]
id = "2026-06"
algorithm = "HS256"
secret = "a sample secret for tokens that is long enough"

[[organizations.identity_secrets]]
id = "iv-1"
secret = "a sample secret for hashes that is long enough"

[organizations.attributes]
plan = { type = "text" }
"#;

/// Runs a command with the desk's own settings.
fn run(desk: &Desk, arguments: &[&str]) -> String {
    let ran: Ran = desk.bare(arguments).args(["--settings", "settings.toml"]).output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran.out
}

/// A desk with these settings.
fn desk_with(settings: &str) -> Desk {
    let desk = Desk::new();
    desk.write("settings.toml", settings);
    desk
}

/// A token or a hash.
fn sign(desk: &Desk, arguments: &[&str]) -> String {
    run(desk, &[&["sign", "--organization", "acme"], arguments].concat()).trim().to_owned()
}

/// The event so often that something can be done at once.
fn often(event: &Value) -> Vec<Value> {
    vec![event.clone(); 100]
}

/// What is advised of these events.
fn advised(desk: &Desk, events: &[Value]) -> Value {
    desk.write("events.ndjson", events.iter().map(|event| format!("{event}\n")).collect::<String>());
    let out = run(desk, &["advise", "--from-file", "events.ndjson", "--type", "identify", "--json"]);
    serde_json::from_str(&out).unwrap()
}

#[test]
fn what_a_lock_would_have_refused_is_what_it_refuses() {
    let desk = desk_with(OBSERVING);
    let companies = r#"companies:=[{"id":"c1","plan":"Pro"}]"#;
    let token = sign(&desk, &["--claim", "userId=1", "--claim", "plan=Pro", "--claim", companies]);
    let event = json!({
        "organization": "acme", "featurebaseJwt": token, "plan": "Pro", "companies": [{"id": "c1", "plan": "Pro"}],
    });
    let advice = advised(&desk, &often(&event));
    let locks: Vec<_> = advice["organizations"][0]["advice"].as_array().unwrap().iter().collect();
    let lock = |of: &str, about: &str| {
        let lock = locks.iter().find(|item| item["advice"] == "lock" && item["of"] == of && item["about"] == about);
        lock.map(|item| (item["ready"].clone(), item["figures"]["unsigned"].clone())).unwrap()
    };
    assert_eq!(lock("user", "plan"), (json!("first"), json!(100)));
    assert_eq!(lock("user", "companies"), (json!("now"), json!(0)), "a copy of a company that stands meets no lock");
    assert_eq!(lock("company", "plan"), (json!("now"), json!(0)), "nor does what it says of it");

    let locked = OBSERVING.replace("membership.locked = false", "membership.locked = true").replace(
        "plan = { type = \"text\" }",
        "plan = { type = \"text\", locked = true }\n[organizations.company_attributes]\nplan = { locked = true }",
    );
    desk.write("settings.toml", locked);
    let out = run(&desk, &["replay", "--from-file", "events.ndjson", "--type", "identify", "--to-file", "-"]);
    let verdict: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(verdict["rejected"], json!([{"attribute": "plan", "company": null, "reason": "locked"}]), "{verdict}");
}

#[test]
fn an_identity_secret_that_companies_need_stays_and_a_wrong_hash_is_no_reason_to_enforce() {
    let desk = desk_with(OBSERVING);
    let hash = sign(&desk, &["--hash", "c1"]);
    let event = |token: &str, hash: &str| json!({"organization": "acme", "featurebaseJwt": token, "company": {"id": "c1", "companyHash": hash}});
    let ready = |advice: &Value, rule: &str, about: &str| {
        let item = item(advice, "acme", rule, about).unwrap();
        (item["ready"].as_str().unwrap().to_owned(), item["figures"]["companyHash"].as_u64())
    };
    let token = sign(&desk, &["--claim", "userId=1"]);
    let proven = advised(&desk, &often(&event(&token, &hash)));
    assert_eq!(ready(&proven, "migrate", "iv-1"), ("first".to_owned(), Some(100)), "{proven}");
    assert_eq!(ready(&proven, "enforce", "acme"), ("now".to_owned(), None));
    let wrong = advised(&desk, &often(&event(&token, &"0".repeat(64))));
    assert_eq!(ready(&wrong, "enforce", "acme"), ("first".to_owned(), Some(100)), "{wrong}");
    assert_eq!(ready(&wrong, "migrate", "iv-1"), ("now".to_owned(), None));
    let signing = sign(&desk, &["--claim", "userId=1", "--claim", r#"companies:=[{"id":"c1"}]"#]);
    let needless = advised(&desk, &often(&event(&signing, &hash)));
    assert_eq!(ready(&needless, "migrate", "iv-1"), ("now".to_owned(), None), "the token proves the company");
}

#[test]
fn a_signed_e_mail_is_an_attribute_that_arrives_signed() {
    let desk = desk_with(OBSERVING);
    let token = sign(&desk, &["--claim", "userId=1", "--claim", "email=ada@example.com"]);
    let hash = sign(&desk, &["--hash", "1"]);
    let hashed = json!({"organization": "acme", "userId": "1", "userHash": hash, "email": "ada@example.com"});
    let events = [json!({"organization": "acme", "featurebaseJwt": token}), hashed];
    let locked = advised(&desk, &events);
    assert_eq!(item(&locked, "acme", "unlock", "email"), None, "{locked}");
    assert!(item(&advised(&desk, &events[1..]), "acme", "unlock", "email").is_some(), "there nobody signs it");
    desk.write("settings.toml", format!("{OBSERVING}email = {{ locked = false }}\n"));
    let open = advised(&desk, &events);
    let lock = item(&open, "acme", "lock", "email").unwrap();
    assert_eq!(lock["figures"], json!({"signed": 1, "unsigned": 1, "users": 1}));
}

#[test]
fn every_attribute_of_the_settings_has_room() {
    let names: Vec<_> = (0..150).map(|number| format!("a{number:03}")).collect();
    let open: String = names.iter().map(|name| format!("{name} = {{ type = \"text\" }}\n")).collect();
    let desk = desk_with(&(OBSERVING.to_owned() + &open));
    let token = |names: &[String]| {
        let mut claims = json!({"userId": "1"});
        names.iter().for_each(|name| claims[name.as_str()] = json!("x"));
        desk.write("claims.json", claims.to_string());
        sign(&desk, &["claims.json"])
    };
    let signed = |names: &[String]| json!({"organization": "acme", "featurebaseJwt": token(names)});
    let unsigned = json!({"organization": "acme", "anonymousId": "v", "a000": "x"});
    let advice = advised(&desk, &[vec![unsigned], often(&signed(&names[1..])), vec![signed(&names[..1])]].concat());
    let lock = item(&advice, "acme", "lock", "a000").unwrap();
    assert_eq!((&lock["ready"], &lock["figures"]["unsigned"]), (&json!("first"), &json!(1)), "{lock}");
    assert_eq!(item(&advice, "acme", "lock", "a149").unwrap()["ready"], "now");
}

#[test]
fn where_not_all_organizations_are_told_apart_nothing_is_safe_until_one_is_chosen() {
    let numbers = 0..=2_000;
    let organization = |number| format!("[[organizations]]\nslug = \"o{number}\"\nenforcement = \"observe\"\n");
    let desk = desk_with(&numbers.clone().map(organization).collect::<String>());
    let events: Vec<_> =
        numbers.map(|number| json!({"organization": format!("o{number}"), "anonymousId": "v"})).collect();
    let advice = advised(&desk, &events);
    assert_eq!((&advice["events"], &advice["otherEvents"]), (&json!(2_001), &json!(1)));
    for organization in advice["organizations"].as_array().unwrap() {
        let enforce = &organization["advice"][0];
        assert_eq!((&enforce["advice"], &enforce["ready"]), (&json!("enforce"), &json!("first")));
        assert!(enforce["says"].as_str().unwrap().ends_with("choose it with --organization"), "{enforce}");
    }
    let of_one: String = often(&events[7]).iter().map(|event| format!("{event}\n")).collect();
    desk.write("more.ndjson", desk.read("events.ndjson") + &of_one);
    let chosen = ["advise", "--from-file", "more.ndjson", "--type", "identify", "--json", "--organization", "o7"];
    let chosen: Value = serde_json::from_str(&run(&desk, &chosen)).unwrap();
    assert_eq!(item(&chosen, "o7", "enforce", "o7").unwrap()["ready"], "now");
}

#[test]
fn advice_does_not_come_from_picked_events_and_of_one_type_alone_nothing_is_safe() {
    let desk = Desk::new();
    desk.write("events.ndjson", "{\"organization\":\"globex\",\"anonymousId\":\"1\"}\n".repeat(100));
    let help = Ran::from(desk.bare(&["advise", "--help"]).output().unwrap());
    for line in ["--user 1", "--rejected", "--reason locked"] {
        let line: Vec<_> = line.split(' ').collect();
        let ran = desk.run(&[&["advise", "--from-file", "events.ndjson"], &line[..]].concat());
        assert!(
            ran.code == Some(2) && ran.err.contains("unexpected argument"),
            "{line:?}: {:?}\n{}",
            ran.code,
            ran.err
        );
        assert!(!help.out.contains(line[0]), "{}", help.out);
    }
    let all = advice(&desk, &["--type", "boot"]);
    assert_eq!(item(&all, "globex", "enforce", "globex").unwrap()["ready"], "now");
    let part = advice(&desk, &["--type", "boot", "--event-type", "boot"]);
    let enforce = item(&part, "globex", "enforce", "globex").unwrap();
    assert_eq!(enforce["ready"], "first");
    assert!(enforce["says"].as_str().unwrap().contains("leave --event-type out"), "{enforce}");
}
