//! The cluster, looked at and changed through librdkafka's admin client. Each question is bounded in time.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rdkafka::{
    ClientContext,
    admin::{
        AdminClient, AdminOptions, ConfigResource, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
        TopicReplication,
    },
    client::DefaultClientContext,
    config::RDKafkaLogLevel,
    error::KafkaError,
    metadata::MetadataTopic,
    producer::{BaseProducer, DeliveryResult, Producer, ProducerContext},
    types::RDKafkaErrorCode,
};
use tokio::runtime::Runtime;

use super::{
    check::{Found, Topic},
    plan::{Done, Plan},
};
use crate::{
    config::{ClientRole, Kafka},
    source::kafka::is_silence,
};

/// The most complaints of librdkafka that are heard.
const COMPLAINTS: usize = 100;

/// Why the cluster cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClusterError {
    #[error("no client can be made of the configuration")]
    Client(#[source] KafkaError),
    #[error("no broker of {brokers} answers within {} s{}", .timeout.as_secs_f32(), told(.reason))]
    Away { brokers: String, timeout: Duration, reason: Option<String> },
    #[error("the brokers of {brokers} have not answered within {} s, though one was there: {error}", .timeout.as_secs_f32())]
    Silent { brokers: String, timeout: Duration, error: String },
    #[error("the brokers of {brokers} refuse to answer: {error}")]
    Refused { brokers: String, error: String },
    #[error("no runtime can be started")]
    Runtime(#[from] std::io::Error),
}

fn told(reason: &Option<String>) -> String {
    reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()
}

/// How long librdkafka's log is listened to.
const LOG: Duration = Duration::from_millis(100);

/// A cluster that can be asked.
pub(super) struct Cluster {
    /// Metadata comes through a producer: its context hears why no broker answers, an admin client's does not.
    producer: BaseProducer<Hears>,
    admin: AdminClient<DefaultClientContext>,
    runtime: Runtime,
    brokers: String,
    timeout: Duration,
}

impl Cluster {
    pub(super) fn connect(kafka: &Kafka, timeout: Duration) -> Result<Self, ClusterError> {
        let mut config = kafka.client(ClientRole::Admin);
        // Whatever librdkafka has to complain of is heard, and told if no broker answers.
        if (config.log_level as i32) < RDKafkaLogLevel::Error as i32 {
            config.set_log_level(RDKafkaLogLevel::Error);
        }
        Ok(Self {
            producer: config.create_with_context(Hears::default()).map_err(ClusterError::Client)?,
            admin: config.create().map_err(ClusterError::Client)?,
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            brokers: kafka.bootstrap_servers.clone(),
            timeout,
        })
    }

    /// These topics as they are, and how many brokers there are. It asks for all topics: to ask for one by name would make it
    /// where brokers make topics by themselves.
    pub(super) fn look(&self, names: &[&str]) -> Result<Found, ClusterError> {
        let metadata = self.producer.client().fetch_metadata(None, self.timeout).map_err(|error| self.away(&error))?;
        let mut topics: BTreeMap<_, _> = metadata
            .topics()
            .iter()
            .filter(|topic| names.contains(&topic.name()) && topic.error().is_none())
            .map(|topic| (topic.name().to_owned(), shape(topic)))
            .collect();
        if !topics.is_empty() {
            for resource in self.settings(&topics)? {
                if let OwnedResourceSpecifier::Topic(name) = &resource.specifier
                    && let Some(topic) = topics.get_mut(name)
                {
                    let entries = resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?)));
                    topic.settings = entries.collect();
                }
            }
        }
        self.tell_the_log();
        Ok(Found { brokers: metadata.brokers().len(), topics })
    }

    /// What librdkafka has logged waits for a poll, which whoever asked for it has time for.
    fn tell_the_log(&self) {
        if tracing::enabled!(target: "librdkafka", tracing::Level::DEBUG) {
            self.producer.poll(LOG);
        }
    }

    /// The settings of each topic that tells them: one that may not be described says nothing of the others.
    fn settings(&self, topics: &BTreeMap<String, Topic>) -> Result<Vec<ConfigResource>, ClusterError> {
        let resources: Vec<_> = topics.keys().map(|name| ResourceSpecifier::Topic(name)).collect();
        let resources = self.ask(|admin, options| admin.describe_configs(&resources, options), false)?;
        Ok(resources.into_iter().filter_map(Result::ok).collect())
    }

    /// Makes topics, or asks whether they could be made; for each topic what came of it.
    pub(super) fn create(
        &self,
        plans: &[Plan],
        dry_run: bool,
    ) -> Result<BTreeMap<String, Result<Done, String>>, ClusterError> {
        if plans.is_empty() {
            return Ok(BTreeMap::new());
        }
        let topics: Vec<_> = plans.iter().map(new_topic).collect();
        let results = self.ask(|admin, options| admin.create_topics(&topics, options), dry_run)?;
        let result = |result| match result {
            Ok(topic) => (topic, Ok(Done::Made)),
            // By somebody else, in the meantime.
            Err((topic, RDKafkaErrorCode::TopicAlreadyExists)) => (topic, Ok(Done::WasThere)),
            Err((topic, code)) => (topic, Err(code.to_string())),
        };
        Ok(results.into_iter().map(result).collect())
    }

    fn ask<T, F: Future<Output = Result<T, KafkaError>>>(
        &self,
        question: impl FnOnce(&AdminClient<DefaultClientContext>, &AdminOptions) -> F,
        dry_run: bool,
    ) -> Result<T, ClusterError> {
        let options = AdminOptions::new()
            .request_timeout(Some(self.timeout))
            .operation_timeout((!dry_run).then_some(self.timeout))
            .validate_only(dry_run);
        let answer = self.runtime.block_on(question(&self.admin, &options));
        answer.map_err(|error| self.unanswered(&error))
    }

    fn away(&self, error: &KafkaError) -> ClusterError {
        // Serves what librdkafka had to say in the meantime, an event each time.
        for _ in 0..COMPLAINTS {
            self.producer.poll(Duration::ZERO);
        }
        let reason = self.producer.context().last().or_else(|| Some(error.to_string()));
        ClusterError::Away { brokers: self.brokers.clone(), timeout: self.timeout, reason }
    }

    fn unanswered(&self, error: &KafkaError) -> ClusterError {
        let code = if let KafkaError::AdminOp(code) = error { Some(*code) } else { error.rdkafka_error_code() };
        let (brokers, error) = (self.brokers.clone(), code.map_or_else(|| error.to_string(), |code| code.to_string()));
        if code.is_some_and(is_silence) {
            return ClusterError::Silent { brokers, timeout: self.timeout, error };
        }
        ClusterError::Refused { brokers, error }
    }
}

fn shape(topic: &MetadataTopic) -> Topic {
    let replicas = topic.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or_default();
    Topic { partitions: topic.partitions().len(), replicas, settings: BTreeMap::new() }
}

fn new_topic(plan: &Plan) -> NewTopic<'_> {
    let [partitions, replicas] =
        [plan.partitions, plan.replicas].map(|number| i32::try_from(number).unwrap_or(i32::MAX));
    let topic = NewTopic::new(&plan.topic, partitions, TopicReplication::Fixed(replicas));
    plan.settings.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
}

/// Keeps the last complaint of librdkafka.
#[derive(Default)]
struct Hears(Mutex<Option<String>>);

impl Hears {
    fn last(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hear(&self, complaint: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(complaint.to_owned());
    }
}

impl ClientContext for Hears {
    /// What is heard is told by the command itself; the rest is for whoever asks.
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // That all brokers are down follows from what was said of each; how often it was tried is of no use.
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::AllBrokersDown)) {
            self.hear(reason.split(" (after ").next().unwrap_or(reason));
        }
    }
}

impl ProducerContext for Hears {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_is_no_refusal() {
        let kafka: crate::config::Config = toml::from_str(crate::config::DEFAULTS).unwrap();
        let cluster = Cluster::connect(&kafka.kafka, Duration::from_secs(2)).unwrap();
        let told = |code| cluster.unanswered(&KafkaError::AdminOp(code)).to_string();
        let silent = told(RDKafkaErrorCode::OperationTimedOut);
        assert!(silent.starts_with("the brokers of 127.0.0.1:9092 have not answered within 2 s"), "{silent}");
        let refused = told(RDKafkaErrorCode::ClusterAuthorizationFailed);
        assert!(refused.starts_with("the brokers of 127.0.0.1:9092 refuse to answer: "), "{refused}");
    }
}
