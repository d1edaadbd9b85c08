//! `attrsync replay`.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _},
};
use serde_json::{Value, json};

use crate::{Desk, NOW, Ran, events, kcat_line, lines};

const DEADLINE: Duration = Duration::from_secs(30);

fn replay(desk: &Desk, from: &str, more: &[&str]) -> Ran {
    desk.run(&[&["replay", "--from-file", from, "--to-file", "-"], more].concat())
}

#[test]
fn every_record_gets_its_verdict_in_its_place() {
    let desk = Desk::new();
    let events = events(5_000);
    let input: String = events.iter().enumerate().map(|(offset, event)| kcat_line(event, offset)).collect();
    desk.write("events.ndjson", &input);
    let ran = desk.run(&["replay", "--from-file", "events.ndjson", "--to-file", "verdicts.ndjson", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let verdicts = desk.read("verdicts.ndjson");
    for (offset, (verdict, event)) in lines(&verdicts).iter().zip(&events).enumerate() {
        assert_eq!(verdict["source"]["offset"], json!(offset));
        assert_eq!(verdict["verdict"], json!(event.outcome), "{event:?}");
        assert_eq!(verdict["reason"], json!(event.reason), "{event:?}");
    }
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    let of = |name: &str| events.iter().filter(|event| event.outcome.name() == name).count();
    assert_eq!(summary["records"], json!(events.len()));
    for name in ["accepted", "partial", "rejected"] {
        assert_eq!(summary[name], json!(of(name)), "{name}");
    }
    assert_eq!(desk.names(), ["events.ndjson", "verdicts.ndjson"]);
    let piped = desk.feed(&["replay", "--from-file", "-", "--to-file", "-"], input.as_bytes());
    assert_eq!((piped.code, piped.out), (Some(0), verdicts));
    assert!(piped.err.contains("judged 5,000 records"), "{}", piped.err);
}

#[test]
fn events_alone_are_named_by_file_and_line_and_take_type_and_time_from_flags() {
    let desk = Desk::new();
    desk.write("events", "{\"organization\":\"acme\"}\n\n{\"organization\":\"acme\",\"type\":\"x\"}\n");
    let ran = replay(&desk, "events", &["--type", "boot", "--at", "2026-01-02T03:04:05Z"]);
    let verdicts = lines(&ran.out);
    assert_eq!(verdicts.len(), 2);
    let expected = json!({"id": "events/0/3", "type": "boot", "time": "2026-01-02T03:04:05.000Z"});
    assert_eq!(verdicts[1]["event"], expected);
    assert_eq!(verdicts[1]["verdict"], "accepted");
    assert_eq!(lines(&replay(&desk, "events", &[]).out)[0]["reason"], "missing_type");
}

#[test]
fn whatever_a_line_holds_it_is_one_record() {
    let desk = Desk::new();
    let mut input = Vec::new();
    for line in [&b"not JSON"[..], b"\xff\xfe", b"[1]", b"{\"topic\":\"t\",\"payload\":null}", &[b'x'; 9_000_000]] {
        input.extend_from_slice(line);
        input.extend_from_slice(b"\r\n");
    }
    input.extend_from_slice(b"{\"half\":");
    desk.write("odd", &input);
    let ran = replay(&desk, "odd", &[]);
    let reasons: Vec<_> =
        lines(&ran.out).iter().map(|verdict| verdict["reason"].as_str().unwrap().to_owned()).collect();
    let expected =
        ["malformed_json", "not_utf8", "not_an_object", "empty_record", "record_too_large", "malformed_json"];
    assert_eq!(reasons, expected);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn nothing_to_judge_is_no_fault() {
    let desk = Desk::new();
    desk.write("empty", "\n \n");
    for from in ["empty", "-", "/dev/null"] {
        let ran = replay(&desk, from, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{from}");
        assert!(
            ran.err.contains("judged 0 records") && ran.err.contains("there was no record to look at"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn how_many_records_were_looked_at_is_told_where_not_all_of_them_were_chosen() {
    let desk = Desk::new();
    let event = |id: &str| format!("{{\"organization\":\"acme\",\"type\":\"boot\",\"userId\":\"{id}\"}}\n");
    desk.write("events", ["1", "2", "2"].map(event).concat());
    for (user, chosen, told) in [
        ("nobody", 0, "looked at 3 records, none was chosen\n"),
        ("1", 1, "looked at 3 records, 1 was chosen\n"),
        ("2", 2, "looked at 3 records, 2 were chosen\n"),
    ] {
        let ran = desk.run(&["replay", "--from-file", "events", "--user", user]);
        assert!(ran.code == Some(0) && ran.err.contains(told), "{user}: {:?} {}", ran.code, ran.err);
        let ran = desk.run(&["replay", "--from-file", "events", "--user", user, "--json"]);
        let summary: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((&summary["read"], &summary["records"]), (&json!(3), &json!(chosen)));
    }
    let all = desk.run(&["replay", "--from-file", "events"]);
    assert!(all.code == Some(0) && !all.err.contains("looked at"), "{}", all.err);
}

#[test]
fn one_event_over_many_lines_is_told_to_be_no_lines_of_events() {
    let desk = Desk::new();
    let hint = "a file has one event a line";
    desk.write("pretty.json", "{\n  \"organization\": \"acme\",\n  \"type\": \"boot\"\n}\n");
    let ran = desk.run(&["replay", "--from-file", "pretty.json"]);
    assert!(ran.code == Some(0) && ran.err.contains(hint), "{:?} {}", ran.code, ran.err);
    desk.write("events", "{\"organization\":\"acme\",\"type\":\"boot\"}\n{\n");
    let ran = desk.run(&["replay", "--from-file", "events"]);
    assert!(ran.code == Some(0) && !ran.err.contains(hint), "one of them is an event: {}", ran.err);
}

#[test]
fn offsets_after_the_end_are_told_and_no_record_is_taken_for_a_good_one() {
    let cluster: MockCluster<'static, DefaultProducerContext> = MockCluster::new(1).unwrap();
    cluster.create_topic("events", 1, 1).unwrap();
    let brokers = cluster.bootstrap_servers();
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &brokers).create().unwrap();
    for _ in 0..5 {
        let record =
            BaseRecord::<[u8], str>::to("events").partition(0).payload("{\"organization\":\"acme\",\"type\":\"boot\"}");
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(DEADLINE).unwrap();
    let desk = Desk::new();
    let replay = |offsets: &str, json: &[&str]| {
        desk.run(&[&["replay", "--brokers", &brokers, "--offsets", offsets], json].concat())
    };
    for (offsets, read, beyond) in [("0:0-4", 5, 0), ("0:3-9", 2, 5), ("0:999999", 0, 1), ("0:999999-", 0, 0)] {
        let ran = replay(offsets, &["--json"]);
        let summary: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
        let told = ["read", "records", "beyond", "gone"].map(|name| summary[name].as_u64().unwrap());
        assert_eq!(told, [read, read, beyond, 0], "{offsets}");
    }
    let ran = replay("0:3-9", &[]);
    assert!(ran.err.contains("5  offsets that were asked for come after the end"), "{}", ran.err);
    let ran = replay("0:999999-", &[]);
    assert!(ran.code == Some(0) && ran.err.contains("there was no record to look at"), "{:?} {}", ran.code, ran.err);
}

#[test]
fn what_cannot_be_done_is_told_with_the_way_out() {
    let desk = Desk::new();
    desk.write("in", "{}\n");
    desk.write("there", "precious");
    for (from, to, code, said) in [
        ("none", "out", 1, "none cannot be read: No such file or directory"),
        (".", "out", 1, ". is a folder"),
        ("in", "there", 2, "there is there already; --force replaces it"),
        ("in", "in", 2, "is read from and written to"),
        ("in", ".", 2, ". is a folder"),
        ("in", "no/such/out", 1, "no/such/out cannot be written"),
    ] {
        let ran = desk.run(&["replay", "--from-file", from, "--to-file", to]);
        assert!(ran.code == Some(code) && ran.err.contains(said), "{from} {to}: {:?} {}", ran.code, ran.err);
    }
    assert_eq!(desk.read("there"), "precious");
    assert_eq!(desk.names(), ["in", "there"]);
    let ran = desk.run(&["replay", "--from-file", "in", "--to-file", "there", "--force"]);
    assert_eq!((ran.code, lines(&desk.read("there")).len()), (Some(0), 1));
    let nowhere = desk.run(&["replay", "--from-file", "in"]);
    assert_eq!((nowhere.code, nowhere.out.as_str()), (Some(0), ""), "nothing is written unless it is asked for");
}

#[test]
fn settings_that_cannot_be_used_are_told_whole() {
    let desk = Desk::new();
    desk.write("in", "{}\n");
    let arguments = ["replay", "--from-file", "in", "--to-file", "-"];
    let ran: Ran = desk.bare(&arguments).output().unwrap().into();
    assert!(ran.code == Some(2) && ran.err.contains("name a file with --settings"), "{}", ran.err);
    desk.write("settings.toml", "[[organizations]]\nslug = \"\"\nlokced = 1\n");
    let ran: Ran = desk.bare(&arguments).output().unwrap().into();
    assert!(ran.code == Some(2) && ran.err.contains("settings.toml has 2 problems"), "{}", ran.err);
    desk.write("settings.toml", "[[organizations]]\nslug = \"a\"\n");
    let ran: Ran = desk.bare(&arguments).output().unwrap().into();
    assert!(ran.code == Some(0) && ran.err.contains("warning: organization a: neither"), "{}", ran.err);
}

#[test]
fn a_reader_that_leaves_is_no_fault() {
    let desk = Desk::new();
    desk.write("in", "{}\n".repeat(10_000));
    let mut command = desk.command(&["replay", "--from-file", "in", "--to-file", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("missing_type"));
    let status = child.wait().unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!((status.code(), told.as_str()), (Some(0), ""));
}

#[test]
fn a_reader_that_leaves_a_pipe_of_another_name_leaves_verdicts_unread() {
    let desk = Desk::new();
    desk.write("in", "{}\n".repeat(10_000));
    assert!(Command::new("mkfifo").arg(desk.path("pipe")).status().unwrap().success());
    let mut command = desk.command(&["replay", "--from-file", "in", "--to-file", "pipe"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Each end waits for the other one to be opened.
    drop(File::open(desk.path("pipe")).unwrap());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(ran.code == Some(1) && ran.err.contains("the verdicts cannot be written"), "{:?} {}", ran.code, ran.err);
}

/// A replay into the live topics that asks on a terminal of its own: its keys, and its screen once the question stands there.
fn asking(desk: &Desk) -> (Child, ChildStdin, ChildStdout) {
    let mut command = Command::new("env");
    let asks = concat!(env!("CARGO_BIN_EXE_attrsync"), " replay --into-live --brokers 127.0.0.1:9");
    // A terminal for it to ask on; and ctrl-C means what it does there, also where the tests run in the background, which ignores it.
    command
        .args(["--default-signal=INT", "script", "-q", "-e", "-c", asks, "/dev/null"])
        .current_dir(desk.path(""))
        .env_remove("ATTRSYNC_CONFIG");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut byte) = (Vec::new(), [0]);
    while !shown.ends_with(b"Type yes: ") {
        screen.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&shown)));
        shown.push(byte[0]);
    }
    (child, keys, screen)
}

#[test]
fn ctrl_c_ends_it_where_it_asks() {
    let desk = Desk::new();
    let (mut child, mut keys, _screen) = asking(&desk);
    keys.write_all(b"\x03").unwrap();
    let began = Instant::now();
    let ended = loop {
        match child.try_wait().unwrap() {
            None if began.elapsed() < DEADLINE => thread::park_timeout(Duration::from_millis(10)),
            None => {
                child.kill().unwrap();
                panic!("it goes on");
            }
            Some(ended) => break ended,
        }
    };
    assert_eq!(ended.code(), Some(130));
    assert_eq!(desk.names(), [] as [String; 0]);
}

#[test]
fn no_answer_but_yes_confirms() {
    let desk = Desk::new();
    let (mut child, mut keys, mut screen) = asking(&desk);
    keys.write_all(b"y\n").unwrap();
    let mut told = String::new();
    screen.read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{told}");
    assert!(told.contains("not confirmed; nothing was done"), "{told}");
    assert_eq!(desk.names(), [] as [String; 0]);
}

#[test]
fn an_interrupt_ends_it_at_once_and_leaves_nothing() {
    let desk = Desk::new();
    let mut command = desk.command(&["replay", "--from-file", "-", "--to-file", "out"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Held open, so that the command waits for records that never come.
    let _input = child.stdin.take();
    let began = Instant::now();
    while desk.names().is_empty() {
        assert!(began.elapsed() < DEADLINE);
        thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(desk.names(), [] as [String; 0]);
}

/// Whether a thread of this name is in a process.
fn has_thread(process: u32, name: &str) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    names.into_iter().any(|found| found.trim_end() == name)
}

#[test]
fn an_interrupt_ends_a_look_up_that_no_broker_answers() {
    let desk = Desk::new();
    for (command, signal) in [("replay", "-INT"), ("replay", "-TERM"), ("advise", "-INT")] {
        let mut command = desk.command(&[command, "--brokers", "127.0.0.1:9"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let began = Instant::now();
        while !has_thread(child.id(), "look-up") {
            assert!(began.elapsed() < DEADLINE && child.try_wait().unwrap().is_none());
            thread::yield_now();
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (Some(130), ""), "{command:?} {signal}");
    }
}

#[test]
fn what_no_broker_has_to_be_asked_for_is_refused_at_once() {
    let desk = Desk::new();
    let settings = concat!("settings.source=file:", env!("CARGO_MANIFEST_DIR"), "/settings.example.toml");
    let name = "a topic's name has 1 to 249 letters, digits, dots, dashes and underscores";
    for (arguments, told) in [
        (&["--settings-as", "judged"][..], "a file says only what settings are"),
        (&["--settings-as", "received", "--to-topics", "x"], "a file says only what settings are"),
        (&["--to-topics", "a b"], name),
        (&["--to-topics", "a,b c"], name),
        (&["--to-topics", "a,b,c"], "or two topics as in A,B"),
        (&["--topic", "a b"], name),
    ] {
        let arguments = [&["replay", "--brokers", "127.0.0.1:9", "--set", settings], arguments].concat();
        let ran: Ran = desk.bare(&arguments).output().unwrap().into();
        assert!(ran.code == Some(2) && ran.err.contains(told), "{arguments:?}: {:?}\n{}", ran.code, ran.err);
    }
}

#[test]
fn topics_that_verdicts_are_to_go_to_are_told_with_the_command_that_creates_them() {
    let cluster: MockCluster<'static, DefaultProducerContext> = MockCluster::new(1).unwrap();
    cluster.create_topic("events", 1, 1).unwrap();
    let (desk, brokers) = (Desk::new(), cluster.bootstrap_servers());
    let ran = desk.run(&["replay", "--brokers", &brokers, "--to-topics", "x"]);
    let create = format!(
        "attrsync topics create --set kafka.accepted_topic=x.accepted --set kafka.rejected_topic=x.rejected --brokers {brokers}"
    );
    assert!(ran.code == Some(1) && ran.err.contains(&create), "{:?} {}", ran.code, ran.err);
    assert_eq!(desk.names(), [""; 0]);
}

#[test]
fn a_replay_goes_on_under_the_names_that_it_was_begun_with() {
    let desk = Desk::new();
    let plan = json!({
        "id": "one", "accepted": "a", "rejected": "r", "defaultType": null, "now": NOW, "settings": ["the configuration"],
        "filter": {"organization": null, "eventType": null, "user": null}, "settingsVersion": 1, "policyVersion": null,
        "spans": [], "gone": 0, "group": "workers", "transactionalIdPrefix": "first",
    });
    desk.write("attrsync-replay-one.json", plan.to_string());
    for (group, prefix, told) in [
        (
            "workers",
            "second",
            r#"kafka.transactional_id_prefix = "first", by which an earlier run of it is ended, and not "second""#,
        ),
        ("others", "first", r#"kafka.group_id = "workers", under which how far it is is kept, and not "others""#),
        ("workers", "first", "replay one was begun by settings 1"),
    ] {
        let (group, prefix) = (format!("kafka.group_id={group}"), format!("kafka.transactional_id_prefix={prefix}"));
        let ran =
            desk.run(&["replay", "--resume", "one", "--brokers", "127.0.0.1:9", "--set", &group, "--set", &prefix]);
        assert!(ran.code == Some(1) && ran.err.contains(told), "{told}: {:?}\n{}", ran.code, ran.err);
    }
}

#[test]
fn its_help_tells_what_a_line_is() {
    let ran: Ran = Desk::new().bare(&["replay", "--help"]).output().unwrap().into();
    assert!(ran.code == Some(0) && ran.out.contains("kcat -J"), "{}", ran.out);
}

#[test]
fn an_option_that_would_do_nothing_is_refused() {
    let desk = Desk::new();
    desk.write("events", "{\"organization\":\"acme\"}\n");
    for (line, told) in [
        ("replay --reason locked", "--rejected"),
        ("replay --reason locked --from-file events", "--rejected"),
        ("replay --reason locked --resume x", "--resume"),
        ("replay --id x --from-file events", "--to-topics"),
        ("replay --id x --to-file -", "--to-topics"),
        ("replay --plans x --from-file events", "--to-topics"),
        ("replay --plans x --to-file -", "--resume"),
        ("replay --yes --to-topics n", "--into-live"),
        ("replay --yes --resume x", "--into-live"),
        ("replay --force --from-file events", "--to-file"),
        ("replay --force --to-topics n", "--to-file"),
        ("replay --force --resume x", "--to-file"),
        ("replay --force --from-file events --compare now now", "--html"),
        ("replay --html x --to-topics n", "--compare"),
        ("replay --type boot --resume x", "--resume"),
        ("replay --at 7d --resume x", "--resume"),
    ] {
        let ran = desk.run(&line.split(' ').collect::<Vec<_>>());
        assert!(ran.code == Some(2) && ran.err.contains(told), "{line}: {:?}\n{}", ran.code, ran.err);
    }
}

#[test]
fn a_type_that_nobody_judges_and_a_time_that_runs_backwards_are_refused() {
    let desk = Desk::new();
    desk.write("events", "{\"organization\":\"acme\"}\n");
    let one_of = "must be boot, identify, or a widget's init_… or initialize_…";
    for (line, told) in [
        ("replay --from-file events --type identfy", one_of),
        ("replay --from-file events --event-type identfy", one_of),
        ("explain events --type login", one_of),
        ("replay --from-file events --from 2026-11-22 --to 2026-11-21", "--from is later than --to"),
        ("replay --since 1d --to 7d --brokers 127.0.0.1:9", "--from is later than --to"),
        ("advise --from-file events --from 1h --to 2h", "--from is later than --to"),
        ("replay --topic a --topic b --offsets 0:1", "--offsets are of one topic"),
        ("replay --into-live", "say --yes"),
    ] {
        let ran = desk.run(&line.split(' ').collect::<Vec<_>>());
        assert!(ran.code == Some(2) && ran.err.contains(told), "{line}: {:?}\n{}", ran.code, ran.err);
    }
    let ran = desk.run(&["replay", "--from-file", "events", "--type", "init_survey", "--event-type", "initialize_x"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

#[test]
fn the_settings_of_a_time_take_a_time_as_any_other_option_does() {
    let desk = Desk::new();
    desk.write("events", "{\"organization\":\"acme\"}\n");
    for time in ["7d", "2026-11-22", "2026-11-22T10:00:00Z"] {
        let ran = desk.run(&["replay", "--from-file", "events", "--settings-at", time]);
        assert!(ran.code == Some(2) && ran.err.contains("a file says only what settings are"), "{}", ran.err);
        let ran = desk.run(&["settings", "export", "--at", time]);
        assert!(ran.code == Some(2) && ran.err.contains("name a database"), "{}", ran.err);
    }
    assert_eq!(desk.run(&["replay", "--from-file", "events", "--at", "7d"]).code, Some(0));
}

#[test]
fn topics_of_verdicts_are_neither_read_as_events_nor_written_among_live_ones() {
    let desk = Desk::new();
    let (verdicts, live) = ("holds verdicts, not events; replay --rejected", "is a live topic; --into-live");
    for (line, told) in [
        ("replay --topic attributes.accepted", verdicts),
        ("replay --topic attributes.rejected --to-topics again", verdicts),
        ("replay --topic attributes.rejected --compare now now", verdicts),
        ("replay --topic mine --set kafka.accepted_topic=mine", verdicts),
        ("advise --topic events --topic attributes.rejected", verdicts),
        ("replay --to-topics attributes", live),
        ("replay --to-topics again,attributes.rejected", live),
        ("replay --to-topics events,again", "events is read from and written to"),
    ] {
        let line = format!("{line} --brokers 127.0.0.1:9");
        let ran = desk.run(&line.split(' ').collect::<Vec<_>>());
        assert!(ran.code == Some(2) && ran.err.contains(told), "{line}: {:?}\n{}", ran.code, ran.err);
    }
    assert_eq!(desk.names(), [""; 0]);
}
