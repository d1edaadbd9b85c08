//! The binary as somebody meets it who has just got it: help, refusals with the way out, exit codes, and what happens when
//! nothing listens.

#[path = "common/binary.rs"]
mod binary;

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

/// The binary in an empty folder, with no variable of ours.
struct Shell {
    folder: tempfile::TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn command(&self, line: &str) -> Command {
        let mut command = binary::program();
        command.args(line.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Told {
        Told::of(&self.command(line).output().unwrap())
    }
}

/// What a process told.
#[derive(Debug)]
struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Told {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

#[test]
fn help_names_every_command_examples_and_exit_codes_without_colour_in_a_pipe() {
    let told = Shell::new().run("--help");
    assert_eq!(told.code, Some(0));
    for part in ["topics", "config", "healthcheck", "Examples:", "Exit codes:", "ATTRSYNC__SECTION__KEY"] {
        assert!(told.out.contains(part), "{part}: {told:?}");
    }
    assert!(!told.out.contains('\u{1b}') && told.err.is_empty(), "{told:?}");
}

#[test]
fn the_version_names_the_commit_and_the_kafka_client_and_is_one_line_where_asked_shortly() {
    let shell = Shell::new();
    assert_eq!(shell.run("-V").out, format!("attrsync {}\n", env!("CARGO_PKG_VERSION")));
    let long = shell.run("--version").out;
    let (_, librdkafka) = rdkafka::util::get_rdkafka_version();
    let expected = [
        format!("attrsync {}", env!("CARGO_PKG_VERSION")),
        format!("commit      {}", env!("ATTRSYNC_COMMIT")),
        format!("librdkafka  {librdkafka}"),
    ];
    assert_eq!(long.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn without_a_command_it_helps_and_says_that_this_was_no_success() {
    let told = Shell::new().run("");
    assert_eq!((told.code, told.err.contains("Usage: attrsync")), (Some(2), true), "{told:?}");
}

#[test]
fn a_mistyped_command_or_flag_is_told_the_nearest() {
    let shell = Shell::new();
    for (line, nearest) in
        [("confg show", "config"), ("config show --sett a=b", "--set"), ("config show --set a", "KEY=VALUE")]
    {
        let told = shell.run(line);
        assert_eq!(told.code, Some(2), "{told:?}");
        assert!(told.err.starts_with("error: ") && told.err.contains(nearest), "{told:?}");
    }
}

#[test]
fn the_default_file_is_a_configuration_that_changes_nothing() {
    let defaults = Shell::new().run("config defaults").out;
    let shell = with_settings(include_str!("../settings.example.toml")).file("attrsync.toml", &defaults);
    assert_eq!(shell.run("config check").code, Some(0));

    let values = |text: &str| -> BTreeSet<String> {
        text.lines()
            .map(|line| line.split('#').next().unwrap().trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    };
    let with_file = shell.run("config show").out;
    assert!(with_file.contains("# attrsync.toml:"), "{with_file}");
    assert_eq!(values(&with_file), values(&Shell::new().run("config show").out));
}

#[test]
fn what_show_prints_is_toml_and_json_of_the_same_values() {
    let shell = Shell::new().file("attrsync.toml", "[kafka.properties]\nsecurity.protocol = \"SSL\"\n");
    let show = "config show --set worker.shards=3 --brokers a:1,b:2 --settings other.toml --log debug";
    let table: toml::Table = shell.run(show).out.parse().unwrap();
    let json: serde_json::Value = serde_json::from_str(&shell.run(&format!("{show} --json")).out).unwrap();
    for (section, name, value) in [
        ("worker", "shards", "3"),
        ("kafka", "bootstrap_servers", "\"a:1,b:2\""),
        ("settings", "source", "\"file:other.toml\""),
        ("log", "filter", "\"debug\""),
    ] {
        assert_eq!(table[section][name].to_string(), value);
        assert_eq!(json[format!("{section}.{name}")]["value"].to_string(), value);
    }
    assert_eq!(table["kafka"]["properties"]["security.protocol"].as_str(), Some("SSL"));
    assert_eq!(json["worker.shards"]["origin"], "the flag --set");
    assert_eq!(json["kafka.properties.security.protocol"]["origin"], "attrsync.toml:2");
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused_once_with_code_2() {
    let shell = Shell::new().file("attrsync.toml", "[worker]\nshard = 3\n");
    for line in ["config show", "config check", "topics check", "healthcheck"] {
        let told = shell.run(line);
        let lines: Vec<_> = told.err.lines().collect();
        assert_eq!(told.code, Some(2), "{told:?}");
        let expected = [
            "error: the configuration cannot be used",
            "  unknown key worker.shard (attrsync.toml:2); did you mean worker.shards?",
        ];
        assert_eq!(lines, expected);
        assert!(told.out.is_empty(), "{told:?}");
    }
}

#[test]
fn the_file_is_named_by_a_flag_or_a_variable_and_the_flag_wins() {
    let shell = Shell::new().file("a.toml", "worker.shards = 1").file("b.toml", "worker.shards = 2");
    let shards = |line: &str| {
        let output = shell.command(line).env("ATTRSYNC_CONFIG", "b.toml").output().unwrap();
        let table: toml::Table = Told::of(&output).out.parse().unwrap();
        table["worker"]["shards"].as_integer()
    };
    assert_eq!((shards("config show"), shards("config show -c a.toml")), (Some(2), Some(1)));
    let told = shell.run("config show -c missing.toml");
    assert!(told.err.contains("missing.toml cannot be read: No such file or directory"), "{told:?}");
}

#[test]
fn a_variable_that_looks_like_a_key_and_is_none_is_told_once() {
    let shell = with_settings(include_str!("../settings.example.toml"));
    let mut command = shell.command("explain event.json --type identify --json");
    fs::write(shell.folder.path().join("event.json"), r#"{"organization": "acme", "anonymousId": "a"}"#).unwrap();
    let told = Told::of(&command.env("ATTRSYNC_WORKER__SHARDS", "3").output().unwrap());
    assert_eq!(told.code, Some(0), "{told:?}");
    let warning =
        "warning: ATTRSYNC_WORKER__SHARDS in the environment is not read; did you mean ATTRSYNC__WORKER__SHARDS?\n";
    assert_eq!(told.err, warning);
}

#[test]
fn a_broker_that_is_away_is_told_in_one_line_within_seconds() {
    let begun = Instant::now();
    let told = Shell::new().run("topics check --brokers 127.0.0.1:9 --timeout-ms 5000");
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.starts_with("error: no broker of 127.0.0.1:9 answers within 5 s: "), "{told:?}");
    assert!(told.err.contains("Connection refused"), "the reason is told: {told:?}");
    assert_eq!(told.err.lines().count(), 1, "{told:?}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_worker_that_is_away_is_unhealthy() {
    // A port that was free a moment ago: the listener is dropped at once.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = Shell::new().run(&format!("healthcheck --set admin.address={address}"));
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.starts_with(&format!("error: nobody answers at http://{address}/livez")), "{told:?}");
}

#[test]
fn a_stranger_at_the_address_is_no_worker() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stranger = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"SSH-2.0-stranger\r\n").unwrap();
        // Reads to the end, so that the answer is not lost by a reset.
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        _ = stream.read_to_end(&mut Vec::new());
    });
    let told = Shell::new().run(&format!("healthcheck --address {address}"));
    stranger.join().unwrap();
    assert_eq!((told.code, told.out.as_str()), (Some(1), ""), "{told:?}");
    assert!(told.err.contains("nobody answers at"), "{told:?}");
}

#[test]
fn a_reader_that_leaves_is_no_fault() {
    let mut child =
        Shell::new().command("config defaults").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let told = Told::of(&child.wait_with_output().unwrap());
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{told:?}");
}

#[test]
fn a_dashboard_for_others_needs_a_token_worth_its_name() {
    let shell = Shell::new().file("weak", "letmein\n");
    let told = shell.run("dashboard --address 0.0.0.0:0");
    assert_eq!(told.code, Some(2), "{told:?}");
    for part in
        ["dashboard.address = \"0.0.0.0:0\"", "--address", "dashboard.token_file", "openssl rand -hex 32", "TLS"]
    {
        assert!(told.err.contains(part), "{part}: {told:?}");
    }
    let told = shell.run("dashboard --address 127.0.0.1:0 --set dashboard.token_file=weak");
    assert!(told.code == Some(2) && told.err.contains("at least 32"), "{told:?}");
    assert!(!told.err.contains("letmein") && told.out.is_empty(), "{told:?}");
    let told = shell.run("dashboard --address 127.0.0.1:0 --set dashboard.token_file=none");
    assert!(told.code == Some(2) && told.err.contains("dashboard.token_file none can't be read"), "{told:?}");
}

#[test]
fn what_no_new_start_mends_ends_with_2_whichever_command_finds_it() {
    let shell = with_settings(include_str!("../settings.example.toml"));
    let database = "--set settings.source=postgres://ada:geheim@127.0.0.1:9/x";
    for (line, said) in [
        (format!("run {database} --set settings.master_keys.m=short"), "settings.master_keys can't be used"),
        (format!("settings export --secrets {database} --set settings.master_keys.m=short"), "32 bytes"),
        ("run --set settings.source=postgres://db:port/x".to_owned(), "the URL of the database can't be read"),
        ("migrate --set settings.source=postgres://db:port/x".to_owned(), "settings.source can't be used"),
        ("migrate".to_owned(), "the settings are in the file settings.toml; name a database"),
        ("settings export".to_owned(), "the settings are in the file settings.toml; name a database"),
        ("settings plan postgres://ada:geheim@db/x".to_owned(), "expected the path of a settings file, not a URL"),
        ("settings key add a k --generate --identity --algorithm HS512 --reason r".to_owned(), "leave --algorithm out"),
        ("sign --organization acme".to_owned(), "no claims; name them with --claim"),
    ] {
        let told = shell.run(&line);
        assert!(told.code == Some(2) && told.err.contains(said), "{line}: {told:?}");
        assert!(!told.err.contains("geheim") && told.out.is_empty(), "{line}: {told:?}");
    }
    let told = Told::of(&shell.command("settings org add new --reason").arg(" ").output().unwrap());
    assert!(told.code == Some(2) && told.err.contains("--reason is empty"), "{told:?}");
}

#[test]
fn a_dashboard_says_which_port_is_taken() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let told = Shell::new().run(&format!("dashboard --address {address}"));
    assert!(told.code == Some(1) && told.err.contains(&format!("{address} can't be listened on")), "{told:?}");
}

#[test]
fn no_part_of_a_login_is_printed_however_the_source_of_settings_is_written() {
    let shell = Shell::new().file("dsn", "host=db password=geheim\n");
    for (variable, source) in [
        ("ATTRSYNC__SETTINGS__SOURCE", "postgres://ada:geheim/x+9=@db/attrsync"),
        ("ATTRSYNC__SETTINGS__SOURCE", "postgres://ada:p@geheim/ss@127.0.0.1:9/x"),
        ("ATTRSYNC__SETTINGS__SOURCE", "file:postgres://ada:geheim@db/x"),
        ("ATTRSYNC__SETTINGS__SOURCE", "ada:geheim@db/x"),
        ("ATTRSYNC__SETTINGS__SOURCE", "postgres:ada:geheim@db/x"),
        ("ATTRSYNC__SETTINGS__SOURCE", "postgres://ada:geheim"),
        ("ATTRSYNC__SETTINGS__SOURCE", "postgres://ada:geheim@127.0.0.1:9/x"),
        ("ATTRSYNC__SETTINGS__SOURCE__FILE", "dsn"),
    ] {
        for line in ["config show", "config show --json", "config check", "migrate", "settings export"] {
            let told = Told::of(&shell.command(line).env(variable, source).output().unwrap());
            assert!(!told.out.contains("geheim") && !told.err.contains("geheim"), "{line} of {source}: {told:?}");
            assert!(!told.out.is_empty() || !told.err.is_empty(), "{line} of {source}: {told:?}");
        }
    }
    for line in [
        "migrate --settings postgres://ada:geheim@db/x",
        "settings plan postgres://ada:geheim@db/x",
        "replay --compare now postgres://ada:geheim@db/x --from-file dsn",
        "config check --set postgres://ada:geheim@db/x?a=b",
        "config check --set postgres://ada:geheim@db/x",
    ] {
        let told = shell.run(line);
        assert!(told.code != Some(0) && !told.err.contains("geheim"), "{line}: {told:?}");
    }
}

/// A folder with a configuration by default and this settings file.
fn with_settings(text: &str) -> Shell {
    Shell::new().file("settings.toml", text)
}

#[test]
fn config_check_reads_the_settings_file_as_a_worker_does() {
    let told = with_settings(include_str!("../settings.example.toml")).run("config check");
    assert_eq!((told.code, told.out.lines().count()), (Some(0), 2), "{told:?}");
    assert!(told.out.contains("the settings in settings.toml can be used (organizations: "), "{told:?}");

    let broken = "[[organizations]]\nslug = \"acme\"\nenforcment = \"observe\"\n\n[organizations.attributes]\nplan = { typ = \"text\" }\n";
    let told = with_settings(broken).run("config check");
    assert_eq!((told.code, told.out.as_str()), (Some(2), ""), "{told:?}");
    for part in ["settings.toml has 3 problems:", "line 3: ", "enforcment", "line 6: ", "typ"] {
        assert!(told.err.contains(part), "{part}: {told:?}");
    }

    let off = "[[organizations]]\nslug = \"acme\"\nenforcement = \"off\"\n";
    let told = with_settings(off).run("config check");
    assert!(told.code == Some(0) && told.err.starts_with("warning: "), "{told:?}");

    let told = Shell::new().run("config check");
    assert_eq!((told.code, told.out.as_str()), (Some(2), ""), "{told:?}");
    assert!(told.err.starts_with("error: no settings; name a file with --settings"), "{told:?}");
    let told = Shell::new().run("config check --without-settings");
    assert!(
        told.code == Some(0) && told.out.ends_with("no settings were looked at (--without-settings)\n"),
        "{told:?}"
    );
    let told = Shell::new().run("config check --settings next.toml");
    assert_eq!((told.code, told.out.as_str()), (Some(2), ""), "{told:?}");
    assert!(told.err.starts_with("error: the settings file next.toml cannot be read: No such file"), "{told:?}");

    let told = with_settings(include_str!("../settings.example.toml")).run("config check --database");
    assert!(told.code == Some(2) && told.err.contains("--database is of no use"), "{told:?}");

    let database = "config check --set settings.source=postgres://ada:geheim@127.0.0.1:9/x";
    let told = Shell::new().run(&format!("{database} --set settings.master_keys.m=short"));
    assert!(told.code == Some(2) && told.err.contains("settings.master_keys"), "{told:?}");
    let told = Shell::new().run(database);
    assert!(told.out.contains("the settings are in postgres://127.0.0.1:9/x, which was not asked"), "{told:?}");
}

#[test]
fn config_check_reads_the_files_that_the_configuration_names() {
    let shell = with_settings(include_str!("../settings.example.toml")).file("weak", "x\n");
    for (set, said) in [
        ("dashboard.token_file=none", "dashboard.token_file none can't be read"),
        ("dashboard.token_file=weak", "at least 32 printable characters"),
        ("kafka.properties.ssl.ca.location=/none", "cannot be read: No such file or directory"),
    ] {
        let told = shell.run(&format!("config check --set {set}"));
        assert!(told.code == Some(2) && told.err.contains(said) && told.out.is_empty(), "{set}: {told:?}");
    }
    let both = "--set dashboard.token_file=none --set kafka.properties.ssl.ca.location=/none --settings none";
    let told = shell.run(&format!("config check {both}"));
    assert!(told.code == Some(2) && told.err.matches("error: ").count() == 3, "all of it: {told:?}");
}

#[test]
fn a_settings_file_that_cannot_be_used_ends_with_2_whichever_command_reads_it() {
    let broken = "[[organizations]]\nslug = \"acme\"\nenforcment = \"observe\"\n";
    let shell = with_settings(broken).file("event", "{}\n");
    let database = "--set settings.source=postgres://127.0.0.1:9/x";
    for (line, said) in [
        ("run".to_owned(), "enforcment"),
        ("run --settings none".to_owned(), "the settings file none cannot be read"),
        ("run --settings .".to_owned(), "the settings file . cannot be read"),
        ("config check".to_owned(), "enforcment"),
        ("explain event".to_owned(), "enforcment"),
        ("replay --from-file event".to_owned(), "enforcment"),
        ("advise --from-file event".to_owned(), "enforcment"),
        ("sign --organization acme --claim userId=1".to_owned(), "enforcment"),
        ("dev --settings settings.toml".to_owned(), "enforcment"),
        (format!("settings plan none {database}"), "the settings file none cannot be read"),
    ] {
        let told = shell.run(&line);
        assert!(told.code == Some(2) && told.err.contains(said) && told.out.is_empty(), "{line}: {told:?}");
    }
    for line in [format!("run {database}"), format!("explain event {database}")] {
        let told = shell.run(&line);
        assert!(told.code == Some(1) && told.err.contains("can't be reached"), "a fault: {line}: {told:?}");
    }
}

#[test]
fn the_last_line_of_a_worker_is_one_of_its_log() {
    let json = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok();
    let told = Shell::new().run("run --set log.format=json");
    let last = json(told.err.lines().last().unwrap()).unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!((told.code, last["level"].as_str()), (Some(2), Some("ERROR")), "{told:?}");
    assert!(last["message"].as_str().unwrap().starts_with("no settings; name a file"), "{last}");
    for plain in ["run --set log.format=text", "run --set log.format=json --log off"] {
        let told = Shell::new().run(plain);
        assert!(told.code == Some(2) && told.err.starts_with("error: no settings; "), "{plain}: {told:?}");
    }
}

#[test]
fn all_kinds_of_problems_are_told_at_once() {
    let told = Shell::new().run(
        "config check --set worker.shards=999 --set admin.address=localhost --set worker.delivery=x --set dashboard.address=0.0.0.0:1",
    );
    assert_eq!((told.code, told.err.lines().count()), (Some(2), 5), "{told:?}");
}

#[test]
fn a_misspelt_level_is_refused_and_not_taken_for_a_module() {
    let shell = with_settings(include_str!("../settings.example.toml"));
    let told = shell.run("config check --log inof");
    assert!(told.code == Some(2) && told.err.contains("did you mean info?"), "{told:?}");
    assert_eq!(shell.run("config check --log info,attrsync::worker=debug,librdkafka=warn").code, Some(0));
}

#[test]
fn a_command_is_told_of_by_help_too() {
    let shell = Shell::new();
    assert_eq!(shell.run("help").out, shell.run("--help").out);
    assert_eq!(shell.run("help topics check").out, shell.run("topics check --help").out);
    assert!(shell.run("help settings key add").out.contains("attrsync settings key add acme 2026-11"));
}

#[test]
fn what_went_wrong_names_the_option_that_mends_it() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap();
    let shell = Shell::new().file("events", "{}\n").file("settings.toml", include_str!("../settings.example.toml"));
    let told = shell.run(&format!("dev --dashboard-address {taken}"));
    assert!(told.code == Some(1) && told.err.contains("choose another with --dashboard-address"), "{told:?}");
    let told = shell.run(&format!("dashboard --address {taken}"));
    assert!(told.code == Some(1) && told.err.contains("choose another with --address"), "{told:?}");
    let told = shell.run("healthcheck --address localhost:9464");
    assert!(told.code == Some(2) && told.err.contains("expected address:port, as in 127.0.0.1:9464"), "{told:?}");
    for line in ["replay --from-file events --compare now missing.toml", "explain events --settings missing.toml"] {
        let told = shell.run(line);
        assert!(told.code == Some(2) && !told.err.contains("no settings;"), "{told:?}");
        assert!(told.err.starts_with("error: the settings file missing.toml cannot be read"), "{told:?}");
    }
    let told = shell.run("replay --resume x");
    assert!(told.err.contains("because the plan of the replay, ./attrsync-replay-x.json, can't be used"), "{told:?}");
}

#[test]
fn history_that_no_broker_hands_out_is_told_with_the_brokers_and_the_cause_once() {
    let shell = with_settings(include_str!("../settings.example.toml"));
    let children = ["replay", "advise"].map(|command| {
        let mut command = shell.command(&format!("{command} --brokers 127.0.0.1:9"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    for child in children {
        let told = Told::of(&child.wait_with_output().unwrap());
        assert_eq!(told.code, Some(1), "{told:?}");
        assert!(told.err.contains("error: no broker of 127.0.0.1:9 answers; --brokers names others"), "{told:?}");
        assert_eq!(told.err.matches("Connection refused").count(), 1, "{told:?}");
    }
}
