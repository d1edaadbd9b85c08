//! The configuration as an operator meets it: layers, refusals with the way out, and secrets that never print.

use std::{fs, path::PathBuf};

use super::*;
use crate::domain::{EventTimeSource, Policy};

/// A file of this text beside what else is given, in a folder of its own.
struct Given {
    sources: Sources,
    folder: tempfile::TempDir,
}

fn given(file: &str) -> Given {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("attrsync.toml");
    fs::write(&path, file).unwrap();
    Given { sources: Sources { file: Some(path), ..Sources::default() }, folder }
}

impl Given {
    fn variable(mut self, name: &str, text: &str) -> Self {
        self.sources.variables.insert(name.to_owned(), text.to_owned());
        self
    }

    fn set(mut self, key: &str, text: &str) -> Self {
        self.sources.flags.push(Flag { name: "--set".to_owned(), key: key.to_owned(), text: text.to_owned() });
        self
    }

    fn load(&self) -> Loaded {
        load(&self.sources).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What is wrong, the folder's own name left out.
    fn refused(&self) -> String {
        let error = load(&self.sources).expect_err("it should be refused").to_string();
        error.replace(self.folder.path().to_str().unwrap(), "").replace("(/", "(")
    }

    fn secret(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// The effective value of a key, as `config show` has it.
fn effective(loaded: &Loaded, key: &str) -> (String, String) {
    let found = loaded.effective.iter().find(|effective| effective.key == key).unwrap();
    (found.value.to_string(), found.origin.to_string())
}

#[test]
fn an_empty_file_leaves_the_defaults_which_agree_with_the_domain() {
    let loaded = given("").load();
    assert_eq!(loaded.config.policy(), Policy::default());
    assert!(!loaded.config.kafka.instance.is_empty(), "named after the host");
}

#[test]
fn later_layers_win_and_every_value_tells_its_origin() {
    let loaded = given("[worker]\nshards = 2\nbatch_records = 7\n\n[kafka.input]\ntopics = [\"a\"]\n")
        .variable("ATTRSYNC__WORKER__SHARDS", "3")
        .variable("ATTRSYNC__KAFKA__INPUT__TOPICS", "b, c")
        .set("worker.shards", "4")
        .set("worker.shards", "5")
        .load();
    assert_eq!(loaded.config.worker.shards, 5);
    assert_eq!(loaded.config.kafka.input.topics, ["b", "c"]);
    assert_eq!(effective(&loaded, "worker.shards"), ("5".to_owned(), "the flag --set".to_owned()));
    assert!(effective(&loaded, "worker.batch_records").1.ends_with("attrsync.toml:3"));
    assert_eq!(effective(&loaded, "kafka.input.topics").1, "ATTRSYNC__KAFKA__INPUT__TOPICS in the environment");
    assert_eq!(effective(&loaded, "policy.leeway_s").1, "default");
}

#[test]
fn the_policy_is_fed_from_its_sections() {
    let policy = given(
        r#"
        policy.event_time = "received_at"
        security.allow_off = true
        limits.depth = 4
        [kafka.input]
        topics = ["events", "boot.events"]
        types = { "boot.events" = "boot" }
        "#,
    )
    .load()
    .config
    .policy();
    assert_eq!((policy.event_time, policy.allow_off, policy.limits.depth), (EventTimeSource::ReceivedAt, true, 4));
    assert_eq!((policy.type_of("boot.events"), policy.type_of("events")), (Some("boot"), None));
}

#[test]
fn properties_are_found_however_their_dots_are_written() {
    let loaded = given(
        r#"
        [kafka.properties]
        "security.protocol" = "SASL_SSL"
        sasl.mechanism = "PLAIN"
        "socket.keepalive.enable" = true
        [kafka.producer.properties]
        "linger.ms" = 5
        "#,
    )
    .variable("ATTRSYNC__KAFKA__PROPERTIES__SASL_PASSWORD", "12345")
    .variable("ATTRSYNC__KAFKA__CONSUMER__PROPERTIES", r#"{"auto.offset.reset" = "latest"}"#)
    .set("kafka.properties.sasl.username", "me")
    .load();
    let kafka = &loaded.config.kafka;
    let (consumer, producer) = (kafka.client(ClientRole::Consumer), kafka.client(ClientRole::Producer));
    assert_eq!(consumer.get("security.protocol"), Some("SASL_SSL"));
    assert_eq!(consumer.get("sasl.mechanism"), Some("PLAIN"));
    assert_eq!(consumer.get("sasl.password"), Some("12345"));
    assert_eq!(consumer.get("sasl.username"), Some("me"));
    assert_eq!(consumer.get("socket.keepalive.enable"), Some("true"));
    assert_eq!((consumer.get("auto.offset.reset"), producer.get("auto.offset.reset")), (Some("latest"), None));
    assert_eq!((consumer.get("linger.ms"), producer.get("linger.ms")), (None, Some("5")));
}

#[test]
fn a_property_of_two_names_is_one() {
    let loaded = given("[kafka.producer.properties]\ncompression.codec = \"zstd\"\n")
        .variable("ATTRSYNC__KAFKA__PRODUCER__PROPERTIES__COMPRESSION_TYPE", "gzip")
        .set("kafka.properties.queue.buffering.max.ms", "7")
        .load();
    let producer = loaded.config.kafka.client(ClientRole::Producer);
    assert_eq!((producer.get("compression.type"), producer.get("compression.codec")), (Some("gzip"), None));
    assert_eq!((producer.get("linger.ms"), producer.get("queue.buffering.max.ms")), (Some("7"), None));
    assert_eq!(effective(&loaded, "kafka.properties.linger.ms").1, "the flag --set");

    let refused = given("[kafka.properties]\n\"linger.ms\" = 5\n\"queue.buffering.max.ms\" = 6\n").refused();
    let told = "kafka.properties.linger.ms (attrsync.toml:3): given twice in one place (queue.buffering.max.ms is the same property): keep one";
    assert!(refused.contains(told), "{refused}");
}

#[test]
fn secrets_come_from_files_and_variables_and_are_never_shown() {
    let given =
        given("[kafka.properties]\nsasl.username = { env = \"KAFKA_USER\" }\nsasl.password = \"in-the-file\"\n")
            .variable("KAFKA_USER", "hunter-1");
    let path = given.secret("password", "hunter-2\n");
    let loaded = given.variable("ATTRSYNC__KAFKA__PROPERTIES__SASL_PASSWORD__FILE", path.to_str().unwrap()).load();
    let client = loaded.config.kafka.client(ClientRole::Admin);
    assert_eq!((client.get("sasl.username"), client.get("sasl.password")), (Some("hunter-1"), Some("hunter-2")));

    let (shown, origin) = effective(&loaded, "kafka.properties.sasl.password");
    assert_eq!((shown.as_str(), origin.contains("SASL_PASSWORD__FILE")), ("\"[redacted]\"", true));
    let printed = format!("{loaded:?}");
    assert!(!printed.contains("hunter") && !printed.contains("in-the-file"), "{printed}");
}

#[test]
fn a_secret_that_cannot_be_read_is_told_with_its_place() {
    for (file, told) in [
        ("sasl.password = { file = \"/nowhere/secret\" }", "/nowhere/secret cannot be read: No such file or directory"),
        ("sasl.password = { env = \"NOT_SET\" }", "NOT_SET is not set in the environment"),
    ] {
        let refused = given(&format!("[kafka.properties]\n{file}")).refused();
        assert!(refused.contains(&format!("kafka.properties.sasl.password (attrsync.toml:2): {told}")), "{refused}");
    }
}

#[test]
fn an_overridden_secret_need_not_be_readable() {
    given("[kafka.properties]\nsasl.password = { file = \"/nowhere/secret\" }")
        .set("kafka.properties.sasl.password", "x")
        .load();
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_known_one() {
    let given =
        given("[worker]\nshard = 3\n[kafka]\npassword = \"hunter-2\"\nworker = 1\nsecurity_protocol = \"SSL\"\n")
            .variable("ATTRSYNC__WORKER__BATCH_RECORD", "1")
            .set("polcy.leeway_s", "1")
            .set("wroker.a", "1")
            .set("kafka.input", "x");
    let refused = given.refused();
    for told in [
        "unknown key worker.shard (attrsync.toml:2); did you mean worker.shards?",
        "unknown key worker.batch_record (ATTRSYNC__WORKER__BATCH_RECORD in the environment); \
         did you mean ATTRSYNC__WORKER__BATCH_RECORDS?",
        "unknown key polcy.leeway_s (the flag --set); did you mean policy.leeway_s?",
        "unknown key wroker.a (the flag --set); `attrsync config defaults` lists every key",
        "unknown key kafka.input (the flag --set): it is a section and takes keys, not a value",
        "unknown key kafka.security_protocol (attrsync.toml:6); a property of librdkafka goes below kafka.properties, \
         as in kafka.properties.security.protocol",
        "unknown key kafka.password (attrsync.toml:4)",
    ] {
        assert!(refused.contains(told), "{told}\n--- not in\n{refused}");
    }
    assert!(!refused.contains("hunter"), "{refused}");
}

#[test]
fn a_value_that_cannot_be_used_is_refused_with_the_way_out() {
    let cases = [
        ("worker.shards", "many", "worker.shards = \"many\" (the flag --set): expected a whole number"),
        ("worker.shards", "-1", "worker.shards = -1 (the flag --set): must be from 0 to 256"),
        ("security.allow_off", "yes", "security.allow_off = \"yes\" (the flag --set): expected true or false"),
        ("worker.delivery", "twice", "unknown variant `twice`, expected `exactly_once` or `at_least_once`"),
        ("admin.address", "localhost", "admin.address = \"localhost\" (the flag --set): expected address:port"),
        ("settings.source", "s.toml", "settings.source = \"[redacted]\" (the flag --set): expected file:PATH"),
        ("log.filter", "attrsync=loud", "log.filter = \"attrsync=loud\" (the flag --set): error parsing level filter"),
        (
            "log.filter",
            "inof",
            "log.filter = \"inof\" (the flag --set): no level \"inof\"; did you mean info? (levels: off, error",
        ),
        ("log.filter", "librdkafka=warn, warning", "no level \"warning\"; did you mean warn?"),
        ("log.filter", "attrsync::worker", "no level \"attrsync::worker\" (levels: "),
        ("telemetry.otlp_endpoint", "localhost:4318", "must be http://HOST:PORT without a login"),
        ("telemetry.otlp_endpoint", "https://collector:4318", "must be http://HOST:PORT without a login"),
        ("telemetry.otlp_endpoint", "http://me:secret@collector", "must be http://HOST:PORT without a login"),
        ("telemetry.otlp_endpoint", "http://:4318", "must be http://HOST:PORT without a login"),
        ("telemetry.otlp_endpoint", "http://collector:43l8", "must be http://HOST:PORT without a login"),
        ("telemetry.otlp_endpoint", "http://collector:4318?x=1", "must be http://HOST:PORT without a login"),
        ("telemetry.otlp_endpoint", "http://collector:4318/v1/traces", "leave out /v1/traces and /v1/metrics"),
        ("telemetry.otlp_endpoint", "http://collector:4318/v1/metrics/", "must be the collector's base"),
        ("kafka.group_id", " ", "kafka.group_id = \" \" (the flag --set): must not be empty"),
        ("kafka.instance", "a b", "kafka.instance = \"a b\" (the flag --set): must be a name of 1 to 128"),
        ("kafka.input.topics", "", "kafka.input.topics = [] (the flag --set): names no topic to read from"),
        ("kafka.input.topics", "a,a", "names a topic twice"),
        ("kafka.input.types.other", "boot", "names a topic that is not read"),
        ("kafka.input.types.events", "login", "must be boot, identify, or a widget's init_"),
        ("kafka.properties", "x", "expected an inline table"),
        ("kafka.properties.linger", "x", "librdkafka says: No such configuration property: \"linger\""),
        (
            "kafka.properties.linger.ms",
            "x",
            "kafka.properties.linger.ms = \"x\" (the flag --set): librdkafka says: Invalid value",
        ),
    ];
    for (key, text, told) in cases {
        let refused = given("").set(key, text).refused();
        assert!(refused.contains(told), "{told}\n--- not in\n{refused}");
    }
}

#[test]
fn an_address_of_brokers_is_one_that_librdkafka_takes_for_the_same() {
    let key = "kafka.bootstrap_servers";
    for servers in [
        "kafka",
        "kafka:9092",
        "a:1,b_2.example:65535",
        "a:9092, b:9092 ,",
        "127.0.0.1:9092",
        "[::1]",
        "[::1]:9092",
        "[fe80::1%eth0]:9092",
        "PLAINTEXT://a:9092,plaintext://b",
    ] {
        given("").set(key, servers).load();
    }
    for servers in [
        "",
        " , ",
        "a b c",
        "a b:9092",
        "127.0.0.1:99999",
        "127.0.0.1:0",
        "127.0.0.1:",
        "127.0.0.1:9o92",
        ":9092",
        "a:1,b:99999",
        "::1",
        "::1:9092",
        "[::1",
        "[a]:9092",
        "http://127.0.0.1:1",
        "PLAINTEXT://",
        "://a:9092",
    ] {
        let refused = given("").set(key, servers).refused();
        let told = format!("{key} = {servers:?} (the flag --set): expected host:port, separated by commas");
        assert!(refused.contains(&told), "{told}\n--- not in\n{refused}");
    }
}

#[test]
fn an_address_of_a_broker_names_no_other_protocol_than_the_clients_speak() {
    let (key, protocol) = ("kafka.bootstrap_servers", "kafka.properties.security.protocol");
    given("").set(key, "SASL_SSL://a:9092").set(protocol, "sasl_ssl").load();
    let refused = given("").set(key, "SSL://a:9092").refused();
    assert!(refused.contains("must name that of security.protocol among the properties"), "{refused}");
    let refused = given("").set(key, "a:9092,SSL://a:9092").set(protocol, "SASL_SSL").refused();
    let both =
        "kafka.bootstrap_servers = \"a:9092,SSL://a:9092\" (the flag --set) and kafka.properties.security.protocol = ";
    assert!(refused.contains(both), "{refused}");
}

#[test]
fn files_that_properties_name_are_read_when_that_is_asked_for() {
    let base = given("");
    let (file, folder) = (base.secret("ca.pem", "x"), base.folder.path().to_str().unwrap());
    let with = |property: &str, value: &str| given("").set(&format!("kafka.properties.{property}"), value);
    let found = |given: &Given| given.load().check_files().map_err(|error| error.to_string());
    for (property, value) in [
        ("ssl.ca.location", file.to_str().unwrap()),
        ("ssl.ca.location", folder),
        ("ssl.ca.location", "probe"),
        ("ssl.key.location", ""),
        ("ssl.certificate.location", file.to_str().unwrap()),
        ("client.rack", "/nowhere"),
    ] {
        assert_eq!(found(&with(property, value)), Ok(()), "{property} = {value}");
    }
    for (property, value, why) in [
        ("ssl.ca.location", "/nowhere", "No such file or directory"),
        ("ssl.certificate.location", folder, "Is a directory"),
        ("ssl.crl.location", "probe", "No such file or directory"),
    ] {
        let told = format!("kafka.properties.{property} = {value:?} (the flag --set): cannot be read: {why}");
        let found = found(&with(property, value)).unwrap_err();
        assert!(found.ends_with(&told), "{told}\n--- not in\n{found}");
    }
    let elsewhere = base.secret("elsewhere", "/nowhere/geheim");
    let variable = "ATTRSYNC__KAFKA__CONSUMER__PROPERTIES__SSL_KEY_LOCATION__FILE";
    let found = found(&given("").variable(variable, elsewhere.to_str().unwrap())).unwrap_err();
    assert!(found.contains("kafka.consumer.properties.ssl.key.location (the file ") && !found.contains("geheim"));
}

#[test]
fn a_collector_may_have_a_base_of_more_than_its_address() {
    for base in ["", "http://collector:4318", "http://collector:4318/", "http://[::1]:4318/otlp"] {
        given("").set("telemetry.otlp_endpoint", base).load();
    }
}

#[test]
fn a_filter_takes_levels_and_modules_with_theirs() {
    for filter in [
        "info",
        "WARN",
        "off",
        "info,attrsync::worker=debug,librdkafka=warn",
        "librdkafka=warn,",
        "attrsync[batch]=trace",
    ] {
        given("").set("log.filter", filter).load();
    }
}

#[test]
fn blanks_around_numbers_and_booleans_are_left_off() {
    let loaded = given("").variable("ATTRSYNC__WORKER__SHARDS", "2 ").set("security.allow_off", " true\n").load();
    assert_eq!((loaded.config.worker.shards, loaded.config.security.allow_off), (2, true));
}

#[test]
fn a_table_in_one_variable_keeps_its_names_as_they_are_written() {
    let given = given("").variable("ATTRSYNC__KAFKA__INPUT__TOPICS", "Boot");
    let loaded = given.variable("ATTRSYNC__KAFKA__INPUT__TYPES", r#"{"Boot" = "boot"}"#).load();
    assert_eq!(loaded.config.kafka.input.types["Boot"], "boot");
}

#[test]
fn a_variable_with_an_underscore_too_few_is_told_and_not_read() {
    let loaded = given("[settings]\nsource = { env = \"ATTRSYNC_SETTINGS_SOURCE\" }\n")
        .variable("ATTRSYNC_SETTINGS_SOURCE", "file:other.toml")
        .variable("ATTRSYNC_DASHBOARD_PORT", "tcp://10.0.0.1:80")
        .variable("ATTRSYNC_DASHBOARD_SERVICE_HOST", "10.0.0.1")
        .variable("ATTRSYNC_CONFIG", "attrsync.toml")
        .variable("ATTRSYNC_KAFKA__PROPERTIES__SASL_PASSWORD", "hunter-2")
        .variable("ATTRSYNC_WORKER_BATCH_RECORDS", "7")
        .variable("ATTRSYNC_WORKER__SHARDS", "3")
        .load();
    let told = |name: &str, meant: &str| format!("{name} in the environment is not read; did you mean {meant}?");
    let expected = [
        told("ATTRSYNC_KAFKA__PROPERTIES__SASL_PASSWORD", "ATTRSYNC__KAFKA__PROPERTIES__…"),
        told("ATTRSYNC_WORKER_BATCH_RECORDS", "ATTRSYNC__WORKER__BATCH_RECORDS"),
        told("ATTRSYNC_WORKER__SHARDS", "ATTRSYNC__WORKER__SHARDS"),
    ];
    assert_eq!(loaded.warnings, expected);
    assert_eq!(effective(&loaded, "worker.shards").1, "default");
}

#[test]
fn contradictions_name_both_keys_with_values_and_origins() {
    let refused = given("[worker]\nmessage_timeout_ms = 20000\n").refused();
    let told = "worker.message_timeout_ms = 20000 (attrsync.toml:2) and worker.transaction_timeout_ms = 15000 (default): \
                the first must be below the second";
    assert!(refused.contains(told), "{refused}");

    let refused = given("").set("kafka.accepted_topic", "events").refused();
    assert!(refused.contains("the worker would judge its own output"), "{refused}");
}

#[test]
fn what_exactly_once_hangs_on_cannot_be_taken_over() {
    for name in [
        "isolation.level",
        "enable.auto.commit",
        "transactional.id",
        "enable.idempotence",
        "acks",
        "partitioner",
        "metadata.broker.list",
        "delivery.timeout.ms",
        "max.in.flight",
        "topic.request.required.acks",
    ] {
        let refused = given("").set(&format!("kafka.producer.properties.{name}"), "x").refused();
        assert!(refused.contains("attrsync sets this property itself: "), "{refused}");
    }
}

#[test]
fn what_would_be_overridden_is_refused_with_the_way_out() {
    for (name, way_out) in [
        ("client.id", "it is made of kafka.instance and the shard"),
        ("enable.partition.eof", "it is on where a reader looks for the end of a partition"),
        ("log_level", "set log.filter"),
    ] {
        let refused = given("").set(&format!("kafka.properties.{name}"), "7").refused();
        assert!(refused.contains(&format!("attrsync sets this property itself: {way_out}")), "{refused}");
    }
    let refused = given("").variable("ATTRSYNC__KAFKA__PROPERTIES__LOG_LEVEL", "7").refused();
    assert!(refused.contains(r#"set log.filter, as in "info,librdkafka=debug""#), "{refused}");
}

#[test]
fn no_refusal_quotes_a_secret() {
    for file in [
        "[kafka.properties]\n\"sasl.password\" = hunter-2",
        "[kafka.properties]\n\"sasl.password\" = [\"hunter-2\"]",
        "[kafka.properties]\n\"sasl.password\" = \"hunter-2\\u0000\"",
        "[kafka.properties]\n\"sasl.passwordd\" = \"hunter-2\"",
        "[kafka.properties]\n\"sasl.password\" = \"hunter-2\"\n\"sasl.password\" = \"hunter-2\"",
    ] {
        let refused = given(file).refused();
        assert!(!refused.contains("hunter"), "{refused}");
    }
}

#[test]
fn a_broken_file_is_told_by_its_line() {
    let refused = given("[worker]\nshards = = 3\n").refused();
    assert!(refused.contains("attrsync.toml:2: not TOML: "), "{refused}");
}

#[test]
fn a_named_file_must_be_there() {
    let mut given = given("");
    given.sources.file = Some(given.folder.path().join("other.toml"));
    assert!(given.refused().contains("/other.toml cannot be read: No such file or directory"));
}

#[test]
fn all_problems_are_told_at_once() {
    let refused = given("a = 1\nb = 2\n").refused();
    assert_eq!(refused.lines().count(), 3, "{refused}");

    let refused = given("nonsense = 1\n[settings.master_keys]\none = { env = \"NONE\" }\n")
        .set("worker.shards", "999")
        .set("worker.batch_records", "many")
        .set("admin.address", "localhost")
        .set("worker.delivery", "x")
        .set("dashboard.address", "0.0.0.0:1")
        .set("kafka.accepted_topic", "events")
        .refused();
    for told in [
        "unknown key nonsense (",
        "settings.master_keys.one (",
        "worker.shards = 999 (the flag --set): must be from 0 to 256",
        "worker.batch_records = \"many\" (the flag --set): expected a whole number",
        "admin.address = \"localhost\" (the flag --set): expected address:port",
        "worker.delivery = \"x\" (the flag --set): unknown variant",
        "dashboard.address = \"0.0.0.0:1\" (the flag --set) and dashboard.token_file = \"\" (default): an address",
        "kafka.accepted_topic = \"events\" (the flag --set) and kafka.input.topics",
    ] {
        assert!(refused.contains(told), "{told}\n--- not in\n{refused}");
    }
    assert_eq!(refused.lines().count(), 9, "each once: {refused}");
}

#[test]
fn what_a_wrong_value_was_to_be_is_not_guessed() {
    let lines = |given: Given| given.refused().lines().count();
    // Below the default of worker.message_timeout_ms; what that was to be, nobody knows.
    let transaction = given("").set("worker.transaction_timeout_ms", "9000");
    assert_eq!(lines(transaction.set("worker.message_timeout_ms", "soon")), 2);
    assert_eq!(lines(given("[worker\n").set("worker.transaction_timeout_ms", "9000")), 2);
    let keys = "[settings]\nmaster_key = \"one\"\n[settings.master_keys]\none = { env = \"NONE\" }\n";
    assert_eq!(lines(given(keys)), 2);
    assert_eq!(lines(given("[worker\n").set("worker.shards", "999")), 3, "a range holds whatever a file says");
}

#[test]
fn the_reference_lists_every_key_of_the_default_file() {
    let page = reference::markdown();
    for effective in given("").load().effective {
        assert!(page.contains(&format!("### `{}`", effective.key)), "{}", effective.key);
    }
    for table in layers::OPEN_TABLES {
        assert!(page.contains(&format!("## `[{table}]`")), "{table}");
    }
}

#[test]
fn every_number_has_a_range() {
    for (key, entry) in Layer::defaults().entries {
        if matches!(entry.given, layers::Given::Value(Value::Integer(_))) {
            assert!(check::RANGES.iter().any(|(ranged, _)| *ranged == key), "{key}");
        }
    }
}

#[test]
fn the_source_of_settings_and_master_keys_may_stand_elsewhere_and_never_print() {
    let base = given("[settings.master_keys]\none = { env = \"MASTER\" }\n");
    let url = base.secret("url", "postgres://me:pl4nted@db:5432/settings\n");
    let source = format!("{{ file = {:?} }}", url.to_str().unwrap());
    let file = format!("[settings]\nsource = {source}\n[settings.master_keys]\none = {{ env = \"MASTER\" }}\n");
    let loaded = given(&file).variable("MASTER", "pl4nted-master").load();
    let SettingsSource::Postgres(url) = &loaded.config.settings.source else { panic!("a database") };
    assert_eq!(url, "postgres://me:pl4nted@db:5432/settings");
    assert_eq!(loaded.config.settings.master_keys.0["one"], "pl4nted-master");
    assert_eq!(effective(&loaded, "settings.source").0, "\"[redacted]\"");
    assert_eq!(effective(&loaded, "settings.master_keys.one").0, "\"[redacted]\"");
    assert!(!format!("{:?}{:?}", loaded.config, loaded.effective).contains("pl4nted"));

    let loaded = given("").variable("ATTRSYNC__SETTINGS__SOURCE", "postgres://me:pl4nted@db/settings").load();
    assert_eq!(effective(&loaded, "settings.source").0, "\"postgres://[redacted]@db/settings\"");
    assert!(!format!("{:?}", loaded.config).contains("pl4nted"));
    let loaded = given("").variable("ATTRSYNC__SETTINGS__SOURCE__ENV", "URL").variable("URL", "file:other.toml").load();
    assert_eq!(loaded.config.settings.source, SettingsSource::File("other.toml".into()));
}

#[test]
fn no_refusal_quotes_a_login_or_what_stands_elsewhere() {
    for source in [
        "postgres://ada:geheim/x+9=@db/attrsync",
        "postgres://ada:p@geheim/ss@db/x",
        "file:postgres://ada:geheim@db/x",
        "ada:geheim@db/x",
        "postgres:ada:geheim@db/x",
        "host=db password=geheim",
    ] {
        let refused = given("").set("settings.source", source).refused();
        assert!(refused.contains("settings.source = ") && !refused.contains("geheim"), "{refused}");
    }
    let refused = given("").set("settings.source", "postgres://ada:k3J/x+9=@db/attrsync").refused();
    assert!(
        refused.contains("%2F %3F %23 %40") && refused.contains("\"postgres://[redacted]@db/attrsync\""),
        "{refused}"
    );

    let base = given("");
    for (key, text) in [("SETTINGS__SOURCE", "host=db password=geheim"), ("KAFKA__PROPERTIES__LINGER_MS", "geheim")] {
        let file = base.secret("elsewhere", text);
        let refused = given("").variable(&format!("ATTRSYNC__{key}__FILE"), file.to_str().unwrap()).refused();
        assert!(refused.contains("elsewhere, by ATTRSYNC__") && !refused.contains("geheim"), "{refused}");
        let (name, other) = (format!("ATTRSYNC__{key}__ENV"), "ELSEWHERE");
        let refused = given("").variable(&name, other).variable(other, text).refused();
        assert!(refused.contains("ELSEWHERE in the environment, by") && !refused.contains("geheim"), "{refused}");
    }
    let refused = given("").set("postgres://ada:geheim@db/x?a", "b").refused();
    assert!(!refused.contains("geheim"), "{refused}");
}

#[test]
fn master_keys_and_staleness_that_contradict_are_refused() {
    let two = "[settings.master_keys]\none = \"pl4nted\"\ntwo = \"pl4nted\"\n";
    let refused = given(two).refused();
    assert!(
        refused.contains("settings.master_key = \"\" (default): must name the one") && !refused.contains("pl4nted"),
        "{refused}"
    );
    assert!(given(two).set("settings.master_key", "three").refused().contains("names no key of settings.master_keys"));
    assert_eq!(given(two).set("settings.master_key", "two").load().config.settings.master_key, "two");
    let refused = given("").set("settings.max_staleness_s", "1").set("settings.reload_interval_ms", "1000").refused();
    assert!(refused.contains("settings count as fresh from one look to the next"), "{refused}");
}
