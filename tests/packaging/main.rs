//! What deploys attrsync says nothing that attrsync would refuse: commands, variables and configuration files of the container, of
//! docker-compose.yml, of Kubernetes and of systemd, held against the binary itself. scripts/deploy-check asks the tools that read
//! these files; this needs none of them.

#[path = "../common/binary.rs"]
mod binary;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;

/// What a stop may take beside `worker.shutdown_timeout_ms`: leaving the group, the last statistics.
const LEAVING_S: u64 = 5;

/// What a Kafka for tests has to say for itself: where it listens and to whom, where its data is, and how large it may grow in a
/// container.
const OF_ITS_PLACE: [&str; 9] = [
    "advertised.listeners",
    "authorizer.class.name",
    "controller.quorum.voters",
    "heap.opts",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "listeners",
    "log.dirs",
    "super.users",
];

/// What is said of the listener with TLS, which only the tests' Kafka has.
const OF_TLS: &str = "listener.name.secure.";

/// What to be woken for.
const ALERTS: &str = include_str!("../../deploy/prometheus/alerts.yml");

/// How the alerts begin for the Prometheus operator.
const RULE: &str = "\
# The alerts of deploy/prometheus/alerts.yml for the Prometheus operator. Generated: ATTRSYNC_UPDATE=1 cargo test --test packaging
# writes it anew.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: attrsync
  labels: { app.kubernetes.io/name: attrsync }
";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The documents of a file, one after the other.
fn documents(name: &str) -> Vec<Value> {
    read(name).split("\n---\n").map(yaml).collect()
}

/// Its merge keys, which a reader of plain YAML keeps, taken in.
fn merged(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        for (_, part) in object.iter_mut() {
            *part = merged(part.take());
        }
        let below = object.remove("<<").unwrap_or_default();
        for part in below.as_array().cloned().unwrap_or_else(|| vec![below]) {
            for (name, part) in part.as_object().cloned().unwrap_or_default() {
                object.entry(name).or_insert(part);
            }
        }
    }
    value
}

/// A folder with the files that secrets are mounted as, all of which hold something.
struct Mounts(tempfile::TempDir);

impl Mounts {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A value as the process gets it: the host's name for systemd's `%H`, and the path of a mounted file in this folder.
    fn moved(&self, name: &str, value: &str) -> String {
        if !name.ends_with("FILE") {
            return value.replace("%H", "host");
        }
        let content = match name {
            name if name.contains("MASTER_KEYS") => read("deploy/compose/secrets/master-key"),
            name if name.contains("TOKEN") => read("deploy/compose/secrets/dashboard-token"),
            _ => read("deploy/compose/secrets/worker-url"),
        };
        let file = self.0.path().join(name);
        fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Runs attrsync with these variables, and says what it refused.
    fn refused(&self, arguments: &[&str], variables: &BTreeMap<String, String>) -> Option<String> {
        let mut command = binary::program();
        command.envs(variables.iter().map(|(name, value)| (name, self.moved(name, value))));
        let output = command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap();
        (!output.status.success()).then(|| String::from_utf8(output.stderr).unwrap())
    }
}

/// How one process is started.
#[derive(Debug)]
struct Start {
    name: String,
    command: Vec<String>,
    variables: BTreeMap<String, String>,
}

impl Start {
    /// Whether its command line is one, and its variables make a configuration together with this file.
    fn hold(&self, file: Option<&str>) {
        let mounts = Mounts::new();
        let words: Vec<_> = self.command.iter().map(String::as_str).chain(["--help"]).collect();
        assert_eq!(mounts.refused(&words, &BTreeMap::new()), None, "{self:?}");
        let mut variables = self.variables.clone();
        assert_eq!(variables.remove("ATTRSYNC_CONFIG").is_some(), file.is_some(), "{self:?}");
        let file = file.map(path);
        let mut check = vec!["config", "check"];
        check.extend(file.iter().flat_map(|file| ["--config", file.to_str().unwrap()]));
        if !variables.keys().any(|name| name.starts_with("ATTRSYNC__SETTINGS__SOURCE")) {
            check.push("--without-settings");
        }
        assert_eq!(mounts.refused(&check, &variables), None, "{self:?}");
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The services of docker-compose.yml that run attrsync.
fn composed() -> Vec<(Start, Value)> {
    let file = yaml(&read("docker-compose.yml"));
    let services = file["services"].as_object().unwrap().clone();
    let services = services.into_iter().map(|(name, service)| (name, merged(service)));
    let ours = services.filter(|(_, service)| service["image"].as_str().unwrap().starts_with("attrsync:"));
    ours.map(|(name, service)| {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let variables = service["environment"].as_object().unwrap().iter();
        let variables = variables.map(|(name, value)| (name.clone(), text(value))).collect();
        let command = texts(&service["command"]);
        let command = if command.is_empty() { vec!["run".to_owned()] } else { command };
        (Start { name, command, variables }, service)
    })
    .collect()
}

/// The containers of the base for Kubernetes.
fn contained() -> Vec<(Start, Value)> {
    let files =
        ["migrate", "worker", "dashboard"].map(|name| documents(&format!("deploy/kubernetes/base/{name}.yaml")));
    let pods = files.into_iter().flatten().map(|object| object["spec"]["template"]["spec"].clone());
    pods.filter(|pod| !pod.is_null())
        .map(|pod| {
            let container = &pod["containers"][0];
            let variable = |entry: &Value| {
                let value = entry["value"].as_str().unwrap_or("attrsync-0").to_owned();
                (entry["name"].as_str().unwrap().to_owned(), value)
            };
            let start = Start {
                name: container["name"].as_str().unwrap().to_owned(),
                command: texts(&container["args"]),
                variables: container["env"].as_array().unwrap().iter().map(variable).collect(),
            };
            (start, pod)
        })
        .collect()
}

/// The values of a key in a unit of systemd.
fn unit_values(unit: &str, key: &str) -> Vec<String> {
    let lines = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    lines.map(str::to_owned).collect()
}

/// The milliseconds that a worker takes to stop at most, in seconds with what comes after.
fn stop_s() -> u64 {
    let defaults: toml::Table = read("config.default.toml").parse().unwrap();
    let patience = defaults["worker"]["shutdown_timeout_ms"].as_integer().unwrap();
    u64::try_from(patience).unwrap() / 1_000 + LEAVING_S
}

#[test]
fn every_service_of_compose_is_a_command_with_a_configuration_that_attrsync_takes() {
    let all = composed();
    let names: Vec<_> = all.iter().map(|(start, _)| start.name.as_str()).collect();
    for name in ["migrate", "settings", "topics", "worker", "traffic", "dashboard"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    for (start, service) in &all {
        start.hold(None);
        assert!(service["read_only"] == true && service["cap_drop"][0] == "ALL", "{start:?}");
        let checked = texts(&service["healthcheck"]["test"]);
        let ends = service["healthcheck"]["disable"] == true;
        assert!(ends != checked.starts_with(&["CMD".to_owned(), "attrsync".to_owned()]), "{start:?}: {checked:?}");
        let check = Start {
            name: "healthcheck".to_owned(),
            command: checked.into_iter().skip(2).collect(),
            variables: BTreeMap::new(),
        };
        check.hold(None);
    }
}

#[test]
fn the_kafka_of_compose_is_set_as_the_one_that_tests_start() {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let property = |name: &str| name.trim_start_matches("KAFKA_").to_lowercase().replace('_', ".");
    let file = yaml(&read("docker-compose.yml"));
    let variables = file["services"]["kafka"]["environment"].as_object().unwrap().iter();
    let composed = variables.map(|(name, value)| (property(name), text(value)));
    let file = read("scripts/kafka/server.properties");
    let lines = file.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let started = lines.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let alike = |(name, _): &(String, String)| !OF_ITS_PLACE.contains(&name.as_str()) && !name.starts_with(OF_TLS);
    assert_eq!(composed.filter(alike).collect::<BTreeMap<_, _>>(), started.filter(alike).collect::<BTreeMap<_, _>>());
}

#[test]
fn every_image_has_a_version_and_every_port_is_on_loopback() {
    for (name, service) in yaml(&read("docker-compose.yml"))["services"].as_object().unwrap() {
        let service = merged(service.clone());
        let image = service["image"].as_str().unwrap();
        let version = image.rsplit_once(':').map(|(_, tag)| tag.trim_start_matches('v'));
        assert!(version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit())), "{name}: {image}");
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
    }
}

#[test]
fn every_container_of_kubernetes_is_a_command_with_a_configuration_that_attrsync_takes() {
    let all = contained();
    assert_eq!(all.len(), 3);
    for (start, _) in &all {
        let file = start.variables.contains_key("ATTRSYNC_CONFIG").then_some("deploy/kubernetes/base/attrsync.toml");
        start.hold(file);
    }
    let config: toml::Table = read("deploy/kubernetes/base/attrsync.toml").parse().unwrap();
    let keda = yaml(&read("deploy/kubernetes/components/keda/scaledobject.yaml"));
    let trigger = &keda["spec"]["triggers"][0]["metadata"];
    assert_eq!(trigger["bootstrapServers"].as_str(), config["kafka"]["bootstrap_servers"].as_str());
}

#[test]
fn every_unit_of_systemd_is_a_command_with_a_configuration_that_attrsync_takes() {
    for (name, further) in [("attrsync", "settings-source"), ("attrsync-dashboard", "dashboard-token")] {
        let unit = read(&format!("deploy/systemd/{name}.service"));
        let command = unit_values(&unit, "ExecStart").remove(0);
        let command: Vec<_> = command.split(' ').skip(1).map(str::to_owned).collect();
        let variables = unit_values(&unit, "Environment").into_iter();
        let variables: BTreeMap<_, _> = variables
            .map(|variable| variable.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap())
            .collect();
        assert!(variables.values().any(|value| value == &format!("%d/{further}")), "{variables:?}");
        assert!(unit_values(&unit, "LoadCredential")[0].starts_with(&format!("{further}:")), "{unit}");
        assert_eq!(unit_values(&unit, "TasksMax"), ["8192"], "librdkafka's threads grow with the cluster");
        Start { name: name.to_owned(), command, variables }.hold(Some("config.default.toml"));
    }
}

#[test]
fn whoever_stops_a_worker_waits_for_longer_than_it_takes() {
    let pod = contained().into_iter().find(|(start, _)| start.name == "attrsync").unwrap().1;
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > stop_s());
    for (start, service) in composed() {
        let grace = service["stop_grace_period"].as_str().unwrap().trim_end_matches('s');
        assert!(grace.parse::<u64>().unwrap() > stop_s(), "{start:?}");
    }
    let timeout = unit_values(&read("deploy/systemd/attrsync.service"), "TimeoutStopSec").remove(0);
    assert!(timeout.parse::<u64>().unwrap() > stop_s());
}

#[test]
fn versions_are_the_same_everywhere() {
    let version = env!("CARGO_PKG_VERSION");
    let dockerfile = read("Dockerfile");
    let toolchain: toml::Table = read("rust-toolchain.toml").parse().unwrap();
    let rust = toolchain["toolchain"]["channel"].as_str().unwrap();
    assert!(dockerfile.contains(&format!("\nARG RUST={rust}\n")), "{rust}");
    assert!(dockerfile.contains(&format!("image.version=\"{version}\"")), "{version}");
    assert!(composed().iter().all(|(_, service)| service["image"] == format!("attrsync:{version}")));
    let example = yaml(&read("deploy/kubernetes/example/kustomization.yaml"));
    assert_eq!(example["images"][0]["newTag"], version);
}

#[test]
fn the_image_is_built_from_everything_that_the_sources_embed_and_nothing_else() {
    let allowed: Vec<_> =
        read(".dockerignore").lines().filter_map(|line| line.strip_prefix('!').map(str::to_owned)).collect();
    for needed in
        ["Cargo.toml", "Cargo.lock", "build.rs", "src", "migrations", "config.default.toml", "settings.example.toml"]
    {
        assert!(allowed.iter().any(|name| name == needed), "{needed}");
    }
    assert!(allowed.iter().all(|name| path(name).exists()), "{allowed:?}");
    assert!(read(".dockerignore").lines().any(|line| line == "*"), "all else stays outside");
}

/// The alerts for the Prometheus operator: those of deploy/prometheus/alerts.yml in its wrapping.
#[test]
fn the_operator_of_prometheus_gets_the_same_alerts() {
    let (_, groups) = ALERTS.split_once("\ngroups:").unwrap();
    let groups: String = groups.lines().skip(1).map(|line| format!("  {line}\n")).collect();
    let generated = format!("{RULE}spec:\n  groups:\n{groups}");
    let file = "deploy/kubernetes/components/prometheus-operator/prometheusrule.yaml";
    if std::env::var_os("ATTRSYNC_UPDATE").is_some() {
        fs::write(path(file), &generated).unwrap();
    }
    let written = fs::read_to_string(path(file)).unwrap_or_default();
    assert!(written == generated, "{file} is another; ATTRSYNC_UPDATE=1 cargo test --test packaging writes it");
    assert_eq!(yaml(&written)["spec"]["groups"], yaml(ALERTS)["groups"]);
}

/// Cargo refuses a manifest whose targets aren't there, so that the layer of dependencies makes an empty one for each.
#[test]
fn the_layer_of_dependencies_has_every_target_of_the_manifest() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let benches = manifest["bench"].as_array().unwrap().iter();
    let dockerfile = read("Dockerfile");
    for bench in benches {
        let own = format!("benches/{}.rs", bench["name"].as_str().unwrap());
        let file = bench.get("path").and_then(toml::Value::as_str).unwrap_or(&own);
        assert!(dockerfile.contains(file), "{file}");
    }
}
