//! A worker's beginning and end: what is checked before the first record, one thread for each shard, and what their ends
//! amount to.

use std::{
    num::NonZeroUsize,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    Options, Stats, TopicLimits,
    batch::Limits,
    fault::{Fault, refused},
    holding::Holding,
    judging::{Judging, Organizations},
    limit,
    progress::Progress,
    shard::{LOOKUP, Shard},
    stop::Stop,
    traces::Traces,
    transaction::Outbox,
    tries::{Tries, millis},
    watch::Watch,
};
use crate::{
    emit::Encoder,
    native,
    source::kafka::{self, Consumer, Lags, Member, Membership},
    store::Settings,
};

/// How often a broker looks for transactions whose time is up (`transaction.abort.timed.out.transaction.cleanup.interval.ms`).
const BROKERS_LOOK: Duration = Duration::from_secs(10);

/// How long a worker that has ended may wait for its watch over the group to leave it.
const LEAVING: Duration = Duration::from_secs(5);

/// The shards of this process at work.
pub struct Worker {
    shards: Vec<JoinHandle<Result<(), Fault>>>,
    watch: Option<JoinHandle<()>>,
    stats: Arc<Stats>,
}

/// Asks a worker to stop, from any thread.
#[derive(Debug, Clone, Default)]
pub struct Stopper(Arc<Stop>);

impl Stopper {
    /// Asks every shard to finish the batch in hand and end.
    pub fn stop(&self) {
        self.0.ask();
    }

    /// Whether it was asked for, by whomever, or a shard has ended.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.0.asked()
    }
}

impl Worker {
    /// Checks what can be checked and starts the shards. Each batch is judged by what `settings` holds when it begins.
    pub fn start(options: &Options, settings: &Arc<Settings>, stopper: &Stopper) -> Result<Self, Fault> {
        options.timeouts.check()?;
        let count = shards(options, &stopper.0)?;
        let options = &options.within_topics();
        let stats = Arc::new(Stats::new(count));
        let shared = Shared { options, count, settings, stats: &stats, stop: &stopper.0 };
        // All are made before the first one runs: a property that librdkafka refuses ends the process here.
        let shards: Vec<_> = (0..count).map(|number| shared.shard(number)).collect::<Result<_, _>>()?;
        let shards = shards.into_iter().map(spawn).collect::<Result<_, _>>()?;
        Ok(Self { shards, watch: shared.watch(), stats })
    }

    /// What the shards count.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Waits until every shard has ended. One that ends by a fault ends the others too, and the first fault is the answer.
    pub fn join(self) -> Result<(), Fault> {
        let ended = self
            .shards
            .into_iter()
            .enumerate()
            .map(|(shard, thread)| thread.join().unwrap_or(Err(Fault::Thread { shard, what: "panicked" })));
        let ended = ended.fold(Ok(()), Result::and);
        // A visitor that was cut off would keep what it was assigned until its session is over.
        if let Some(watch) = self.watch {
            let _ = native::within(LEAVING, || watch.join());
        }
        ended
    }
}

/// One for each core unless told otherwise; more than there are partitions would have nothing to do.
fn shards(options: &Options, stop: &Stop) -> Result<usize, Fault> {
    let mut partitions = 0;
    for topic in &options.inputs {
        partitions += count_partitions(options, topic, stop)?;
    }
    options.outputs_exist(stop)?;
    let wanted = options.shards.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    Ok(wanted.min(partitions).max(1))
}

impl Options {
    /// Checks what can be checked before verdicts are sent: the timeouts, and that the topics are there.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check_outputs(&self) -> Result<(), Fault> {
        self.timeouts.check()?;
        self.outputs_exist(&Stop::default())
    }

    /// Both output topics have to be there.
    fn outputs_exist(&self, stop: &Stop) -> Result<(), Fault> {
        for topic in [&self.outputs.accepted, &self.outputs.rejected] {
            count_partitions(self, topic, stop)?;
        }
        Ok(())
    }

    /// The same options, with output records no larger than their topics take.
    #[must_use]
    pub fn within_topics(&self) -> Self {
        let topics = [self.outputs.accepted.as_str(), self.outputs.rejected.as_str()];
        let passed = limit::passed(&self.producer);
        let limit = match self.outputs.topics {
            TopicLimits::Unknown => passed.min(limit::record_bytes(&self.producer, topics, LOOKUP)),
            TopicLimits::None => passed,
        };
        let mut within = self.clone();
        if limit < within.outputs.max_bytes {
            tracing::info!(
                limit,
                "a verdict that takes more bytes is rejected as record_too_large, for its topic or the producer takes no more"
            );
            within.outputs.max_bytes = limit;
        }
        within
    }
}

/// Waits for a broker as long as the tries last and nobody asks for a stop.
fn count_partitions(options: &Options, topic: &str, stop: &Stop) -> Result<usize, Fault> {
    let mut tries = Tries::new(options.retry);
    loop {
        let found = kafka::partitions_made_lately(&options.consumer, topic, LOOKUP, |pause| stop.wait(pause));
        let fault = match found {
            Ok(Some(partitions)) => return Ok(partitions),
            Ok(None) => return Err(Fault::TopicMissing { topic: topic.to_owned(), brokers: options.brokers() }),
            Err(source) if source.code().is_some_and(refused) => {
                return Err(Fault::TopicRefused { topic: topic.to_owned(), source });
            }
            Err(error) if error.code().is_none() => {
                return Err(Fault::Client {
                    client: "a client that looks topics up".to_owned(),
                    source: error.into_error(),
                });
            }
            Err(error) => Fault::Unreachable { brokers: options.brokers(), last: error.to_string() },
        };
        let Some(pause) = tries.next(&fault) else { return Err(fault) };
        if stop.asked() {
            return Err(fault);
        }
        tracing::warn!(%fault, pause_ms = millis(pause), "trying again");
        if stop.wait(pause) {
            return Err(fault);
        }
    }
}

/// What all shards of a worker are made from.
struct Shared<'w> {
    options: &'w Options,
    count: usize,
    settings: &'w Arc<Settings>,
    stats: &'w Arc<Stats>,
    stop: &'w Arc<Stop>,
}

impl Shared<'_> {
    fn shard(&self, number: usize) -> Result<Shard, Fault> {
        let options = self.options;
        let encoder = Encoder::new(options.outputs.source.clone(), options.outputs.max_bytes);
        let organizations = Organizations { settings: Arc::clone(self.settings), unusable_wait: options.unusable_wait };
        Ok(Shard {
            number,
            brokers: options.brokers(),
            input: options.inputs.first().cloned().unwrap_or_default(),
            limits: Limits { interval: options.commit_interval, records: options.batch_records.max(1) },
            patience: options.timeouts.transaction + BROKERS_LOOK,
            consumer: self.consumer(number)?,
            outbox: self.outbox(number)?,
            judging: Judging::new(encoder, organizations, options.spans.clone().map(Traces::new)),
            holding: Holding::new(number),
            progress: Progress::default(),
            tries: Tries::new(options.retry),
            settings: Arc::clone(self.settings),
            stats: Arc::clone(self.stats),
            stop: Arc::clone(self.stop),
        })
    }

    fn consumer(&self, number: usize) -> Result<Consumer, Fault> {
        let client = self.client(number);
        let instance = self.options.static_membership.then(|| format!("{}-{number}", self.options.instance));
        let lags = Arc::clone(self.stats.shards()[number].lags());
        Consumer::join(self.membership(client.clone(), instance, lags))
            .map_err(|source| Fault::Client { client, source })
    }

    fn client(&self, number: usize) -> String {
        format!("attrsync-{}-{number}", self.options.instance)
    }

    fn membership(&self, client: String, instance: Option<String>, lags: Arc<Lags>) -> Membership {
        let options = self.options;
        let member = Member {
            group: options.group.clone(),
            client,
            instance,
            session_timeout: options.timeouts.session,
            longest_pause: options.retry.longest,
            queue_bytes: options.fetch_queue_bytes / self.count,
        };
        let config = kafka::properties(&member, &options.consumer);
        Membership { config, topics: options.inputs.clone(), lags }
    }

    /// Only what static members had can be left to nobody: whenever another goes, the group assigns all partitions anew. And only they
    /// leave it to nobody: a broker that assigns sees to all of them by itself.
    fn watch(&self) -> Option<JoinHandle<()>> {
        let options = self.options;
        if !options.static_membership || !kafka::members_assign(&options.consumer) {
            return None;
        }
        let watch = Watch {
            passed: options.consumer.clone(),
            visitor: self.membership(format!("attrsync-{}-visitor", options.instance), None, Arc::default()),
            ours: (0..self.count).map(|number| self.client(number)).collect(),
            every: (options.timeouts.session / 4).max(Duration::from_secs(1)),
            stats: Arc::clone(self.stats),
            stop: Arc::clone(self.stop),
        };
        let started = thread::Builder::new().name("watch".to_owned()).spawn(move || watch.run());
        // A worker without it is one all the same.
        started
            .inspect_err(|error| tracing::warn!(%error, "nobody looks whether the group leaves partitions to nobody"))
            .ok()
    }

    fn outbox(&self, number: usize) -> Result<Outbox, Fault> {
        let options = self.options;
        let id = format!("{}-{}-{number}", options.transactional_id_prefix, options.instance);
        Outbox::new(options, id, self.client(number))
    }
}

fn spawn(shard: Shard) -> Result<JoinHandle<Result<(), Fault>>, Fault> {
    let number = shard.number;
    let ending = Ending(Arc::clone(&shard.stop));
    let run = move || {
        let _ending = ending;
        shard.run()
    };
    let spawned = thread::Builder::new().name(format!("shard-{number}")).spawn(run);
    spawned.map_err(|_| Fault::Thread { shard: number, what: "could not be started" })
}

/// Ends the whole worker with the first of its threads, also with one that panics: a worker that reads some of its partitions
/// would look alive while the rest of them lag.
struct Ending(Arc<Stop>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ask();
    }
}
