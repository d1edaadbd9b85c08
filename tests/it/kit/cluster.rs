//! A Kafka of three brokers of its own, which come and go while the cluster stays: what is replicated, and who coordinates, moves.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
};
use tempfile::TempDir;

use super::{SOON, eventually, print, process::ended};

const BROKERS: usize = 3;
/// Three at once on a busy machine.
const STARTING: Duration = SOON.saturating_mul(3);

/// A running cluster; its brokers are killed when it is dropped.
pub(crate) struct Cluster {
    /// Where its brokers are.
    pub(crate) brokers: String,
    folder: TempDir,
    jars: String,
    nodes: Vec<Option<Child>>,
}

impl Cluster {
    /// Starts one of Kafka's jars in this folder, and waits until all its brokers are there.
    pub(crate) fn start(jars: String) -> Self {
        let ports = free_ports();
        let brokers: Vec<_> = ports.iter().map(|(clients, _)| format!("127.0.0.1:{clients}")).collect();
        let mut cluster = Self {
            brokers: brokers.join(","),
            folder: tempfile::tempdir().unwrap(),
            jars,
            nodes: (0..BROKERS).map(|_| None).collect(),
        };
        (0..BROKERS)
            .for_each(|node| fs::write(cluster.file(node, "properties"), cluster.properties(node, &ports)).unwrap());
        let formatting: Vec<_> = (0..BROKERS).map(|node| cluster.format(node)).collect();
        for mut formatting in formatting {
            assert!(ended(&mut formatting, STARTING).success(), "a storage is formatted");
        }
        (0..BROKERS).for_each(|node| cluster.begin(node));
        cluster.is_whole();
        cluster
    }

    /// Has a broker hand over what it leads and end, as where a machine is updated, and starts it again.
    pub(crate) fn restart(&mut self, node: usize) {
        let mut broker = self.nodes[node].take().unwrap();
        let asked = Command::new("kill").args(["-s", "TERM", &broker.id().to_string()]).status().unwrap();
        assert!(asked.success());
        ended(&mut broker, STARTING);
        self.begin(node);
        self.is_whole();
    }

    /// Kills a broker, and waits until the others have noticed.
    pub(crate) fn kill(&mut self, node: usize) {
        let mut broker = self.nodes[node].take().unwrap();
        broker.kill().unwrap();
        broker.wait().unwrap();
        let client = self.client();
        eventually("a broker is missed", STARTING, || {
            client.fetch_metadata(None, SOON).is_ok_and(|all| all.brokers().len() == BROKERS - 1)
        });
    }

    /// Starts a broker that isn't there.
    pub(crate) fn begin(&mut self, node: usize) {
        let log = File::options().create(true).append(true).open(self.file(node, "log")).unwrap();
        let mut java = self.java("kafka.Kafka");
        let properties = self.file(node, "properties");
        self.nodes[node] = Some(java.arg(properties).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    /// Waits until every broker has all that it should have.
    pub(crate) fn is_whole(&self) {
        let client = self.client();
        eventually("all brokers are there and in sync", STARTING, || {
            client.fetch_metadata(None, SOON).is_ok_and(|all| {
                let in_sync = |topic: &rdkafka::metadata::MetadataTopic| {
                    topic.partitions().iter().all(|partition| partition.isr().len() == partition.replicas().len())
                };
                all.brokers().len() == BROKERS && all.topics().iter().all(in_sync)
            })
        });
    }

    fn client(&self) -> BaseConsumer {
        ClientConfig::new().set("bootstrap.servers", &self.brokers).create().unwrap()
    }

    fn format(&self, node: usize) -> Child {
        let log = File::create(self.file(node, "format")).unwrap();
        let mut java = self.java("kafka.tools.StorageTool");
        java.args(["format", "-t", "YXR0cnN5bmMtdGVzdHMtMw", "-c"]).arg(self.file(node, "properties"));
        java.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    fn java(&self, class: &str) -> Command {
        let mut java = Command::new("java");
        java.args(["-Xmx512m", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=1", "-cp", &format!("{}/*", self.jars), class]);
        java.current_dir(self.folder.path()).stdin(Stdio::null());
        java
    }

    fn file(&self, node: usize, what: &str) -> PathBuf {
        self.folder.path().join(format!("{node}.{what}"))
    }

    fn properties(&self, node: usize, ports: &[(u16, u16)]) -> String {
        let (clients, controllers) = ports[node];
        let voters: Vec<_> = ports.iter().enumerate().map(|(id, (_, port))| format!("{id}@127.0.0.1:{port}")).collect();
        format!(
            "process.roles=broker,controller\n\
             node.id={node}\n\
             controller.quorum.voters={voters}\n\
             listeners=PLAINTEXT://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controllers}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{clients}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             controller.listener.names=CONTROLLER\n\
             log.dirs={data}\n\
             default.replication.factor=3\n\
             min.insync.replicas=2\n\
             offsets.topic.replication.factor=3\n\
             offsets.topic.num.partitions=4\n\
             transaction.state.log.replication.factor=3\n\
             transaction.state.log.min.isr=2\n\
             transaction.state.log.num.partitions=4\n\
             auto.create.topics.enable=false\n\
             group.initial.rebalance.delay.ms=0\n\
             log.retention.ms=-1\n\
             log.message.timestamp.after.max.ms=9223372036854775807\n",
            voters = voters.join(","),
            data = self.file(node, "data").display(),
        )
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for (node, broker) in self.nodes.iter_mut().enumerate() {
            if let Some(broker) = broker {
                // It may have ended by itself.
                let _ = broker.kill();
                let _ = broker.wait();
            }
            if std::thread::panicking() {
                let log = fs::read_to_string(self.folder.path().join(format!("{node}.log"))).unwrap_or_default();
                let last = log.lines().count().saturating_sub(10);
                print(&format!("the last lines of broker {node}:"));
                log.lines().skip(last).for_each(print);
            }
        }
    }
}

/// For each broker one for clients and one for controllers, below those that the system gives to whoever connects: a broker that
/// is away must find its own free again.
fn free_ports() -> Vec<(u16, u16)> {
    let first = 20_000 + u16::try_from(std::process::id() % 8_000).unwrap();
    let free = (first..30_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let ports: Vec<_> = free.take(2 * BROKERS).collect();
    ports.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}
