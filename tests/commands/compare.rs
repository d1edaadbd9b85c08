//! `attrsync replay --compare`, held against a count in another language; and what it does with hostile names.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{Desk, NOW, Ran, events, kcat_line};

/// The sample settings as somebody might change them: an organization enforces, a key is revoked, attributes are locked, unlocked,
/// configured, archived, and of another type.
fn changed_settings() -> String {
    let mut settings = sample();
    for (old, new) in [
        ("enforcement = \"observe\"", "enforcement = \"enforced\""),
        ("retired_at = 2025-07-01T00:00:00Z", "retired_at = 2027-07-01T00:00:00Z"),
        (
            "plan = { type = \"text\", options = [\"Free\", \"Premium\", \"Enterprise\"], locked = true }",
            "plan = { type = \"text\" }\nutm_source = { type = \"text\" }",
        ),
        ("title = { type = \"text\", max_chars = 100 }", "title = { type = \"text\", locked = true }"),
        ("onboarded = { type = \"boolean\" }", "onboarded = { type = \"text\" }\nlocale = { locked = true }"),
        ("interests = { type = \"text_list\" }", "interests = { type = \"text_list\", archived = true }"),
        ("[organizations.membership]\nlocked = true", "[organizations.membership]\nlocked = false"),
        ("seats = { type = \"number\", locked = true }", "seats = { type = \"text\" }"),
    ] {
        assert!(settings.contains(old), "{old}");
        settings = settings.replacen(old, new, 1);
    }
    settings
}

fn sample() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("settings.example.toml")).unwrap()
}

/// Events over an hour; the context of some names their SDK.
fn history(number: usize) -> String {
    let line = |(offset, event): (usize, &attrsync::traffic::Event)| {
        let mut record: Value = serde_json::from_str(&kcat_line(event, offset)).unwrap();
        record["ts"] = json!(NOW + i64::try_from(offset).unwrap() * 1_000);
        let payload = record["payload"].as_str().unwrap_or_default();
        if let Ok(mut value) = serde_json::from_str::<Value>(payload)
            && value["context"].is_object()
            && offset % 3 > 0
        {
            value["context"]["library"] = json!({"name": "featurebase-js", "version": format!("1.0.{}", offset % 3)});
            record["payload"] = json!(value.to_string());
        }
        format!("{record}\n")
    };
    events(number).iter().enumerate().map(line).collect()
}

fn compare(desk: &Desk, from: &str, sides: [&str; 2], more: &[&str]) -> Ran {
    desk.run(&[&["replay", "--from-file", from, "--compare", sides[0], sides[1]], more].concat())
}

fn report(desk: &Desk, from: &str, sides: [&str; 2]) -> Value {
    let ran = compare(desk, from, sides, &["--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// The numbers of a report by name, as the script prints them.
#[derive(Default)]
struct Told {
    counts: BTreeMap<String, Value>,
    users: BTreeMap<String, Value>,
}

impl Told {
    fn count(&mut self, name: &Value, number: &Value) {
        if number != &json!(0) {
            assert!(self.counts.insert(name.to_string(), number.clone()).is_none(), "{name} twice");
        }
    }

    fn of_users(&mut self, name: &Value, users: &Value) {
        assert_eq!(users["estimated"], json!(false));
        if users["number"] != json!(0) {
            self.users.insert(name.to_string(), users["number"].clone());
        }
    }

    /// An organization, and what becomes of its attributes.
    fn organization(&mut self, one: &Value) {
        let slug = &one["organization"];
        self.of_users(&json!(["organization", slug]), &one["users"]);
        for way in WAYS {
            self.count(&json!(["organization", slug, "changed", way]), &one["changed"][way]);
        }
        for flow in list(&one["verdicts"]) {
            self.count(&json!(["organization", slug, "flow", flow["from"], flow["to"]]), &flow["events"]);
        }
        for change in list(&one["attributes"]) {
            let (attribute, of) = (&change["attribute"], &change["of"]);
            let name = json!(["organization", slug, "attribute", attribute, of, change["from"], change["to"]]);
            self.count(&name, &change["events"]);
        }
    }
}

const WAYS: [&str; 3] = ["stricter", "milder", "within"];

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn told(report: &Value) -> Value {
    let mut told = Told::default();
    told.count(&json!(["records"]), &report["records"]);
    told.count(&json!(["withoutUser"]), &report["withoutUser"]);
    told.of_users(&json!(["users"]), &report["users"]);
    for flow in list(&report["verdicts"]) {
        told.count(&json!(["flow", flow["from"], flow["to"]]), &flow["events"]);
    }
    for way in WAYS {
        told.count(&json!(["changed", way]), &report["changed"][way]);
        for (kind, senders) in [("eventType", "eventTypes"), ("key", "keys"), ("sdk", "sdks")] {
            for sender in list(&report["senders"][senders]) {
                told.count(&json!([kind, sender["name"], way]), &sender[way]);
            }
        }
    }
    for kind in list(&report["kinds"]) {
        let name = json!(["kind", kind["from"], kind["to"]]);
        told.count(&name, &kind["events"]);
        told.of_users(&name, &kind["users"]);
    }
    list(&report["organizations"]).iter().for_each(|one| told.organization(one));
    json!({"counts": told.counts, "users": told.users})
}

/// What the script counts of two plain replays.
fn counted(desk: &Desk, events: &str, settings: [&str; 2]) -> Value {
    for (settings, verdicts) in settings.iter().zip(["before", "after"]) {
        let arguments = ["replay", "--from-file", events, "--to-file", verdicts, "--settings", settings];
        let ran: Ran = desk.bare(&arguments).output().unwrap().into();
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands/count_changes.mjs");
    let arguments = [script, desk.path("before"), desk.path("after"), desk.path(events)];
    let ran: Ran = Command::new("node").args(arguments).output().expect("node counts").into();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let mut counted: Value = serde_json::from_str(&ran.out).unwrap();
    for table in ["counts", "users"] {
        let table = counted[table].as_object_mut().unwrap();
        // The members of what stands in a name, in the order of the other side.
        let name = |name: String| serde_json::from_str::<Value>(&name).unwrap().to_string();
        *table = std::mem::take(table).into_iter().map(|(of, number)| (name(of), number)).collect();
    }
    counted
}

/// Organizations that keep every verdict are counted by the script and not told by the report.
fn without_the_unconcerned(mut counted: Value) -> Value {
    let counts = counted["counts"].as_object_mut().unwrap();
    let slug = |name: &str| {
        let name: Vec<Value> = serde_json::from_str(name).unwrap();
        (name[0] == "organization").then(|| name[1].to_string())
    };
    let concerned: Vec<_> =
        counts.keys().filter(|name| name.contains("\"changed\"")).filter_map(|name| slug(name)).collect();
    counts.retain(|name, _| slug(name).is_none_or(|slug| concerned.contains(&slug)));
    counted
}

#[test]
fn the_report_is_what_an_independent_count_of_two_replays_finds() {
    let desk = Desk::new();
    desk.write("events.ndjson", history(6_000));
    desk.write("now.toml", sample());
    desk.write("next.toml", changed_settings());
    let found = report(&desk, "events.ndjson", ["now.toml", "next.toml"]);
    let independent = counted(&desk, "events.ndjson", ["now.toml", "next.toml"]);
    assert!(independent["counts"].as_object().unwrap().len() > 40, "{independent}");
    for way in WAYS {
        assert!(found["changed"][way].as_u64().unwrap() > 100, "{way}: {}", found["changed"]);
    }
    assert_eq!(told(&found), without_the_unconcerned(independent));
}

#[test]
fn settings_against_themselves_change_nothing() {
    let desk = Desk::new();
    desk.write("events.ndjson", history(2_000));
    for sides in [["now", "now"], ["now", "file:same.toml"], ["./same.toml", "same.toml"]] {
        desk.write("same.toml", sample());
        let found = report(&desk, "events.ndjson", sides);
        assert_eq!((&found["records"], &found["changed"]["events"]), (&json!(2_000), &json!(0)), "{sides:?}");
        assert_eq!((&found["kinds"], &found["organizations"]), (&json!([]), &json!([])), "{sides:?}");
    }
    let ran = compare(&desk, "events.ndjson", ["now", "now"], &[]);
    assert_eq!(ran.out, "2,000 events were judged by each settings, and every one keeps its verdict.\n");
}

#[test]
fn the_table_names_what_changes_and_how_to_look_at_it() {
    let desk = Desk::new();
    desk.write("events.ndjson", history(2_000));
    desk.write("next.toml", changed_settings());
    let ran = compare(&desk, "events.ndjson", ["now", "next.toml"], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for said in [
        "now → next.toml",
        "accepted → rejected proof_missing",
        "title: set, unsigned → rejected locked",
        "by key",
        "jwt/2025-06",
        "featurebase-js 1.0.2",
        " -t events -p 3 -o ",
        " -c 1 -J | attrsync explain - --settings next.toml",
    ] {
        assert!(ran.out.contains(said), "{said} is not in\n{}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "no colour in a pipe");
}

#[test]
fn the_command_of_an_example_shows_the_second_verdict() {
    let desk = Desk::new();
    desk.write("alone", "{\"organization\":\"globex\",\"userId\":\"1\",\"type\":\"x\"}\n");
    desk.write("next.toml", changed_settings());
    desk.write("policy.toml", "[policy]\nleeway_s = 5\n");
    let how = "--config policy.toml --set limits.depth=9 --type identify --at 2026-11-22T10:00:00.000Z";
    let arguments: Vec<_> = how.split(' ').chain(["--set", "worker.shards=1", "--json"]).collect();
    let example = |from: &str, input: &str| {
        let line = [&["replay", "--from-file", from, "--compare", "now", "next.toml"], &arguments[..]].concat();
        let ran = desk.feed(&line, input.as_bytes());
        let found: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
        found["kinds"][0]["examples"][0]["command"].clone()
    };
    let command = example("alone", "");
    let command = command.as_str().unwrap();
    assert_eq!(command, format!("attrsync explain alone --line 1 {how} --settings next.toml"));
    let ran: Ran = desk.bare(&command.split(' ').skip(1).collect::<Vec<_>>()).output().unwrap().into();
    assert!(ran.code == Some(11) && ran.out.contains("proof_missing"), "{:?} {}", ran.code, ran.out);

    // There is no topic of what came through a pipe, but of what kcat printed there is.
    assert_eq!(example("-", &desk.read("alone")), Value::Null);
    let payload = "{\"organization\":\"globex\",\"userId\":\"1\"}";
    let record = json!({"topic": "events", "partition": 3, "offset": 7, "ts": NOW, "payload": payload});
    let command = example("-", &record.to_string());
    let reads = "kcat -C -b 127.0.0.1:9092 -t events -p 3 -o 7 -c 1 -J";
    assert_eq!(command, format!("{reads} | attrsync explain - {how} --settings next.toml"));

    // What each record says decides, and not how its file is called.
    desk.write("events", format!("{record}\n"));
    assert_eq!(example("events", ""), command);
    let nowhere = json!({"topic": "events", "partition": 3, "ts": NOW, "payload": payload});
    desk.write("events", format!("\n{nowhere}\n"));
    let command = example("events", "");
    assert_eq!(command, format!("attrsync explain events --line 2 {how} --settings next.toml"));
    let arguments: Vec<_> = command.as_str().unwrap().split(' ').skip(1).collect();
    let ran: Ran = desk.bare(&arguments).output().unwrap().into();
    assert!(ran.code == Some(11) && ran.out.contains("proof_missing"), "{:?} {}", ran.code, ran.out);
}

#[test]
fn a_secret_among_the_flags_is_in_no_command_of_an_example() {
    let desk = Desk::new();
    desk.write("alone", "{\"organization\":\"globex\",\"userId\":\"1\",\"type\":\"x\"}\n");
    desk.write("next.toml", changed_settings());
    let more = ["--type", "identify", "--json", "--set", "settings.source=postgres://ada:geheim@db/x"];
    let ran = compare(&desk, "alone", ["now", "next.toml"], &more);
    let found: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
    let command = "attrsync explain alone --line 1 --type identify --settings next.toml";
    assert_eq!(found["kinds"][0]["examples"][0]["command"], command);
    assert!(!ran.out.contains("geheim"), "{}", ran.out);
}

#[test]
fn hostile_names_stay_text_in_the_page_and_on_the_terminal() {
    const HOSTILE: &str = "</title><script>alert(1)</script><img src=x onerror=alert(1)>\u{1b}[2J\u{202e}'\"&";
    let desk = Desk::new();
    let payload = json!({
        "id": HOSTILE, "type": "identify", "context": {"library": {"name": "<b>'\"\u{1b}[1m", "version": "&1"}},
        "payload": {"organization": "globex", "userId": HOSTILE, "name": HOSTILE, HOSTILE: HOSTILE},
    });
    let record = json!({"topic": HOSTILE, "partition": 0, "offset": 1, "ts": NOW, "payload": payload.to_string()});
    desk.write("events", format!("{record}\n"));
    let mut next = changed_settings();
    next.push_str(&format!("{} = {{ type = \"text\" }}\n", json!(HOSTILE)));
    desk.write("a&b<c>.toml", next);
    let ran = compare(&desk, "events", ["now", "a&b<c>.toml"], &["--html", "page.html"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let page = desk.read("page.html");
    assert!(page.contains("&lt;script&gt;") && page.contains("a&amp;b&lt;c&gt;.toml"), "{page}");
    for mark in ["<script", "<img", "<b>'", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(mark), "{mark:?}");
    }
    assert!(!ran.out.contains('\u{1b}') && !ran.out.contains('\u{202e}'), "{:?}", ran.out);
    assert!(!ran.out.contains("kcat"), "no command of a topic that can't stand in one: {}", ran.out);
}

#[test]
fn the_page_fetches_nothing_and_runs_nothing() {
    let desk = Desk::new();
    desk.write("events.ndjson", history(2_000));
    desk.write("next.toml", changed_settings());
    let ran = compare(&desk, "events.ndjson", ["now", "next.toml"], &["--html", "page.html"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let page = desk.read("page.html");
    assert!(page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"));
    for mark in ["<script", "http://", "https://", "url(", "@import", "<link", "<iframe", "style=", "onload"] {
        assert!(!page.contains(mark), "{mark}");
    }
    // Nobody's name, address or value is in it.
    for event in events(2_000).iter().filter(|event| event.key.len() > 3) {
        assert!(!page.contains(&format!(">{}<", event.key)), "{}", event.key);
    }
    let piped = compare(&desk, "events.ndjson", ["now", "next.toml"], &["--html", "-"]);
    assert!(piped.out.starts_with("<!doctype html>") && piped.out.ends_with("</html>\n"), "{}", piped.out);
    let again = compare(&desk, "events.ndjson", ["now", "next.toml"], &["--html", "page.html"]);
    assert!(again.code == Some(2) && again.err.contains("--force"), "{}", again.err);
}

#[test]
fn what_cannot_be_compared_is_told_with_the_way_out() {
    let desk = Desk::new();
    desk.write("in", "{}\n");
    for (arguments, code, said) in [
        (&["--compare", "now"][..], 2, "2 values"),
        (&["--compare", "now", "none.toml"], 2, "none.toml"),
        (&["--compare", "now", "at:yesterday"], 2, "expected a date"),
        (&["--compare", "now", "at:2026-11-01"], 2, "settings.source"),
        (&["--compare", "now", "now", "--settings-at", "7d"], 2, "in place of now write at:7d"),
        (&["--html", "page.html", "--to-file", "-"], 2, "cannot be used with"),
        (&["--html", "page.html"], 2, "--compare"),
        (&["--compare", "now", "now", "--html", "-", "--json"], 2, "name a file for the page"),
        (&["--compare", "now", "now", "--html", "in", "--force"], 2, "is read from and written to"),
        (&["--compare", "now", "now", "--settings-as", "judged"], 2, "cannot be used with"),
        (&["--compare", "now", "now", "--to-file", "-"], 2, "cannot be used with"),
    ] {
        let ran = desk.run(&[&["replay", "--from-file", "in"], arguments].concat());
        assert!(ran.code == Some(code) && ran.err.contains(said), "{arguments:?}: {:?} {}", ran.code, ran.err);
    }
    assert_eq!(desk.names(), ["in"]);
}

#[test]
fn a_file_that_is_called_now_is_compared_by_its_path() {
    let desk = Desk::new();
    desk.write("in", "{}\n");
    desk.write("now", changed_settings());
    let found = report(&desk, "in", ["now", "./now"]);
    assert_eq!((&found["before"]["settings"], &found["after"]["settings"]), (&json!("now"), &json!("./now")));
}

#[test]
fn an_organization_of_either_settings_is_compared_and_one_of_neither_is_an_error() {
    let desk = Desk::new();
    desk.write("in", "{\"organization\":\"initech\"}\n{\"organization\":\"acme\"}\n");
    desk.write("without.toml", sample());
    desk.write("with.toml", sample() + "\n[[organizations]]\nslug = \"initech\"\n");
    for sides in [["without.toml", "with.toml"], ["with.toml", "without.toml"]] {
        let ran = compare(&desk, "in", sides, &["--organization", "initech", "--json"]);
        let found: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(found["records"], 1, "{}", ran.err);
    }
    let ran = compare(&desk, "in", ["without.toml", "with.toml"], &["--organization", "initec"]);
    assert!(ran.code == Some(1) && ran.err.contains("no organization \"initec\""), "{:?} {}", ran.code, ran.err);
}
