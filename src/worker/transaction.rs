//! The way out of one shard: a producer, and on it one transaction at a time. [`Outbox::begin`] borrows the outbox until the
//! [`Transaction`] is committed or aborted, so that there can't be two.
//!
//! What a failed call allows (KIP-98, KIP-447, librdkafka's own rules):
//! - *retriable*: the same call again, the same arguments, until [`Timeouts::transaction`](super::Timeouts) has passed;
//! - *requires abort*: the transaction is aborted here and now, and the caller reads the batch again;
//! - *fatal*, or anything whose outcome nobody knows: the producer is dropped. A request still under way could commit or
//!   abort a later transaction of the same producer (KAFKA-17754), or add its offsets to one, so nothing is begun on it again; its
//!   successor's `init_transactions` fences it and waits until the open transaction is ended either way.
//!
//! At-least-once has the same shape: begin and abort do nothing, commit waits until every record is delivered and then
//! commits the offsets.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{ClientConfig, TopicPartitionList, error::KafkaError, producer::Producer as _};

use super::{Delivery, Options, fault::Fault};
use crate::{
    emit::{
        Output,
        producer::{self, Producer, Topics},
    },
    native::{self, CallClass, CallError},
    source::kafka::Keeper,
};

/// How long one call may block before the producer is polled and the call repeated.
const SLICE: Duration = Duration::from_millis(500);
/// The pause before a repeated call, spent polling.
const PAUSE: Duration = Duration::from_millis(10);

/// The producer of a shard, and how it delivers.
pub(crate) struct Outbox {
    id: String,
    config: ClientConfig,
    delivery: Delivery,
    topics: Topics,
    /// How long a call is repeated: the broker aborts the transaction after that anyway.
    patience: Duration,
    /// None before it is opened, and after it was given up.
    producer: Option<Producer>,
}

impl Outbox {
    /// One that isn't open yet, with this transactional id and this name as a client.
    pub(crate) fn new(options: &Options, id: String, client: String) -> Result<Self, Fault> {
        let identity = producer::Identity {
            client,
            transactional: (options.delivery == Delivery::ExactlyOnce).then(|| id.clone()),
            max_bytes: options.outputs.max_bytes,
            message_timeout: options.timeouts.message,
            transaction_timeout: options.timeouts.transaction,
        };
        let topics = Topics::new(&options.outputs.accepted, &options.outputs.rejected);
        Ok(Self {
            topics: topics.map_err(|source| Fault::Client { client: id.clone(), source })?,
            config: producer::properties(&identity, &options.producer),
            delivery: options.delivery,
            patience: options.timeouts.transaction,
            producer: None,
            id,
        })
    }

    /// Makes a producer in place of the one there was, and ends the transaction that a predecessor of this id left open.
    pub(crate) fn open(&mut self) -> Result<(), Fault> {
        self.producer = None;
        let client = |source| Fault::Client { client: self.id.clone(), source };
        let producer = Producer::new(&self.config, &self.topics).map_err(client)?;
        if self.delivery == Delivery::ExactlyOnce {
            producer.connect(&self.topics, SLICE);
            let init = |timeout| producer.init_transactions(timeout).map_err(CallError::from);
            self.repeat(&producer, init).map_err(|source| self.lost("init_transactions", source))?;
        }
        self.producer = Some(producer);
        Ok(())
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self) -> Result<Transaction<'_>, Fault> {
        let transactional = self.delivery == Delivery::ExactlyOnce;
        if let Some(producer) = &self.producer {
            producer.poll(Duration::ZERO);
            // A failure that was reported after its batch was given up says nothing of the next one.
            let _ = producer.context().take_failure();
            if producer.context().misled() {
                self.producer = None;
                return Err(self.lost("begin_transaction", CallError::misled()));
            }
            let begun = if transactional { producer.begin_transaction() } else { Ok(()) };
            if let Err(error) = begun {
                self.producer = None;
                return Err(self.lost("begin_transaction", error.into()));
            }
        }
        match self.producer.take() {
            Some(producer) => Ok(Transaction { outbox: self, producer }),
            None => Err(self.lost("begin_transaction", CallError::not_open())),
        }
    }

    /// Repeats a call as long as it is retriable and patience lasts, and serves the producer between two tries: an untaken
    /// delivery report would hold up the very flush that the call waits for.
    fn repeat(
        &self,
        producer: &Producer,
        mut call: impl FnMut(Duration) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        let begun = Instant::now();
        loop {
            match call(SLICE) {
                Err(error) if error.class == CallClass::Retriable && begun.elapsed() < self.patience => {
                    producer.poll(PAUSE);
                }
                settled => return settled,
            }
        }
    }

    fn lost(&self, call: &'static str, source: CallError) -> Fault {
        Fault::Lost { id: self.id.clone(), call, source }
    }
}

/// An open transaction. It holds the producer, and gives it back to the outbox only once it is certain how the transaction
/// ended; in every other case, a panic included, the producer is dropped with it.
#[must_use]
pub(crate) struct Transaction<'o> {
    outbox: &'o mut Outbox,
    producer: Producer,
}

impl Transaction<'_> {
    /// Sends one record within the transaction.
    pub(crate) fn send(&self, output: &Output<'_>) -> Result<(), Fault> {
        self.producer.send(output).map_err(|code| self.aborted("send", KafkaError::MessageProduction(code).into()))
    }

    /// Commits the records and these offsets together, or neither.
    pub(crate) fn commit(self, consumer: &impl Keeper, offsets: &TopicPartitionList) -> Result<(), Fault> {
        match self.outbox.delivery {
            Delivery::ExactlyOnce => self.commit_together(consumer, offsets),
            Delivery::AtLeastOnce => self.commit_after_delivery(consumer, offsets),
        }
    }

    fn commit_together(self, consumer: &impl Keeper, offsets: &TopicPartitionList) -> Result<(), Fault> {
        let Some(member) = consumer.group_metadata() else { return Err(self.abort(Fault::AssignmentLost)) };
        let member = Arc::new(member);
        // In one slice: when its time is up librdkafka doesn't call it retriable but asks for an abort.
        let send = |_| self.producer.send_offsets(offsets, &member, self.outbox.patience);
        if let Err(error) = self.outbox.repeat(&self.producer, send) {
            return Err(self.fail("send_offsets_to_transaction", error.or_unknown()));
        }
        let commit = |timeout| native::commit_transaction(&self.producer, timeout);
        if let Err(error) = self.outbox.repeat(&self.producer, commit) {
            return Err(self.fail("commit_transaction", error));
        }
        self.end();
        Ok(())
    }

    fn commit_after_delivery(self, consumer: &impl Keeper, offsets: &TopicPartitionList) -> Result<(), Fault> {
        let flush =
            |timeout| if native::flush(&self.producer, timeout) { Ok(()) } else { Err(CallError::undelivered()) };
        if let Err(error) = self.outbox.repeat(&self.producer, flush) {
            return Err(self.fail("flush", error));
        }
        self.producer.poll(Duration::ZERO);
        if let Some(code) = self.producer.context().take_failure() {
            return Err(self.fail("flush", CallError::failed_delivery(code)));
        }
        if let Err(error) = consumer.commit(offsets) {
            let cause = self.aborted("commit", error.into());
            return Err(self.abort(cause));
        }
        self.end();
        Ok(())
    }

    /// Ends the transaction without a trace of it. The answer is why it was aborted, or that nobody knows how it ended.
    pub(crate) fn abort(self, cause: Fault) -> Fault {
        let id = self.outbox.id.clone();
        match self.discard() {
            Ok(()) => cause,
            Err(lost) => {
                tracing::warn!(id, %cause, "the abort of this batch failed");
                lost
            }
        }
    }

    /// The same where there is no cause; the answer is whether that worked.
    pub(crate) fn discard(self) -> Result<(), Fault> {
        if self.outbox.delivery == Delivery::ExactlyOnce {
            let abort = |timeout| self.producer.abort_transaction(timeout).map_err(CallError::from);
            if let Err(error) = self.outbox.repeat(&self.producer, abort) {
                return Err(self.outbox.lost("abort_transaction", error));
            }
        }
        self.end();
        Ok(())
    }

    /// What follows from a failed call: the transaction is aborted, or the producer given up.
    fn fail(self, call: &'static str, error: CallError) -> Fault {
        match error.class {
            CallClass::RequiresAbort => {
                let cause = self.aborted(call, error);
                self.abort(cause)
            }
            CallClass::Retriable | CallClass::Lost => self.outbox.lost(call, error),
        }
    }

    fn aborted(&self, call: &'static str, source: CallError) -> Fault {
        let delivery = self.producer.context().take_failure();
        Fault::Aborted { id: self.outbox.id.clone(), call, source, delivery }
    }

    fn end(self) {
        self.outbox.producer = Some(self.producer);
    }
}
