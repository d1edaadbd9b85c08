//! The cluster, looked at and changed through librdkafka's admin client. Each question is bounded in time.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    time::Duration,
};

use rdkafka::{
    admin::{
        AdminClient, AdminOptions, ConfigResource, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
        TopicReplication,
    },
    client::DefaultClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    metadata::MetadataTopic,
    types::RDKafkaErrorCode,
};
use tokio::runtime::Runtime;

use super::{
    check::{Found, Topic},
    plan::{Done, Plan},
};
use crate::{
    config::{ClientRole, Kafka},
    source::kafka::{LookUpError, LookingUp, lacking, listed},
};

/// Why the cluster cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClusterError {
    #[error("no client can be made of the configuration")]
    Client(#[source] KafkaError),
    #[error("no broker of {brokers} answers within {} s: {error}", .timeout.as_secs_f32())]
    Away { brokers: String, timeout: Duration, error: LookUpError },
    #[error("the brokers of {brokers} have not answered within {} s, though one was there: {error}", .timeout.as_secs_f32())]
    Silent { brokers: String, timeout: Duration, error: LookUpError },
    #[error("the brokers of {brokers} refuse to answer: {error}")]
    Refused { brokers: String, error: LookUpError },
    #[error("no runtime can be started")]
    Runtime(#[from] std::io::Error),
}

/// How long librdkafka's log is listened to.
const LOG: Duration = Duration::from_millis(100);

/// A cluster that can be asked.
pub(super) struct Cluster {
    /// Metadata comes through a consumer: its context hears why no broker answers, an admin client's does not. Nor does it make a
    /// topic by asking for it, where brokers make topics by themselves.
    consumer: BaseConsumer<LookingUp>,
    admin: AdminClient<DefaultClientContext>,
    runtime: Runtime,
    brokers: String,
    timeout: Duration,
}

impl Cluster {
    pub(super) fn connect(kafka: &Kafka, timeout: Duration) -> Result<Self, ClusterError> {
        let mut config = kafka.client(ClientRole::Admin);
        config.set("allow.auto.create.topics", "false");
        // Whatever librdkafka has to complain of is heard, and told if no broker answers.
        if (config.log_level as i32) < RDKafkaLogLevel::Error as i32 {
            config.set_log_level(RDKafkaLogLevel::Error);
        }
        Ok(Self {
            consumer: config.create_with_context(LookingUp::default()).map_err(ClusterError::Client)?,
            admin: config.create().map_err(ClusterError::Client)?,
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            brokers: kafka.bootstrap_servers.clone(),
            timeout,
        })
    }

    /// These topics as they are, and how many brokers there are.
    pub(super) fn look(&self, names: &[&str]) -> Result<Found, ClusterError> {
        let metadata = self.consumer.fetch_metadata(None, self.timeout).map_err(|error| self.away(error))?;
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
        let mut unseen = BTreeSet::new();
        for name in names.iter().filter(|name| !topics.contains_key(**name)) {
            if self.hides(name)? {
                unseen.insert((*name).to_owned());
            }
        }
        self.tell_the_log();
        Ok(Found { brokers: metadata.brokers().len(), topics, unseen })
    }

    /// Whether the brokers don't say if there is this topic: of all topics they list those that the client's user may see.
    fn hides(&self, name: &str) -> Result<bool, ClusterError> {
        match listed(&self.consumer, name, self.timeout) {
            Err(error) if error.code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed) => Ok(true),
            Err(error) if error.is_silence() => Err(self.unanswered(error)),
            // Made in the meantime, or missing.
            _ => Ok(false),
        }
    }

    /// What librdkafka has logged waits for a poll, which whoever asked for it has time for.
    fn tell_the_log(&self) {
        if tracing::enabled!(target: "librdkafka", tracing::Level::DEBUG) {
            let _ = self.consumer.poll(LOG);
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
            Err((topic, code)) => (topic, Err(format!("{code}{}", lacking(code)))),
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
        answer.map_err(|error: KafkaError| self.unanswered(error))
    }

    fn away(&self, error: KafkaError) -> ClusterError {
        let error = LookUpError::of(&self.consumer, error);
        ClusterError::Away { brokers: self.brokers.clone(), timeout: self.timeout, error }
    }

    fn unanswered(&self, error: impl Into<LookUpError>) -> ClusterError {
        let (brokers, error) = (self.brokers.clone(), error.into());
        if error.is_silence() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_is_no_refusal() {
        let kafka: crate::config::Config = toml::from_str(crate::config::DEFAULTS).unwrap();
        let cluster = Cluster::connect(&kafka.kafka, Duration::from_secs(2)).unwrap();
        let told = |code| cluster.unanswered(KafkaError::AdminOp(code)).to_string();
        let silent = told(RDKafkaErrorCode::OperationTimedOut);
        assert!(silent.starts_with("the brokers of 127.0.0.1:9092 have not answered within 2 s"), "{silent}");
        let refused = told(RDKafkaErrorCode::ClusterAuthorizationFailed);
        assert!(refused.starts_with("the brokers of 127.0.0.1:9092 refuse to answer: "), "{refused}");
    }
}
