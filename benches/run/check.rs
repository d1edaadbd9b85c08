//! Whether a worker's output is whole and right, read under `read_committed`: below the committed offsets every event has exactly the
//! records that it was made for, with the right reason, and nothing else is there. The first events' records are compared in full with what
//! attrsync makes of them: the same key, the same headers, the same attributes set, dropped and refused.

use anyhow::{Context as _, bail, ensure};
use attrsync::{
    domain::verdict::Outcome,
    emit::{Channel, names},
};
use rdkafka::{
    Message as _,
    consumer::Consumer as _,
    error::KafkaError,
    message::{BorrowedMessage, Headers as _},
};
use serde_json::Value;

use crate::{
    cluster::{self, PARTITIONS, PATIENCE},
    input::{self, Input, Sampled},
    worker::Topics,
};

/// How many verdicts there were.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub(crate) struct Counts {
    pub(crate) accepted: i64,
    pub(crate) partial: i64,
    pub(crate) rejected: i64,
}

/// Reads both topics to their ends.
pub(crate) fn complete(topics: &Topics, committed: &[i64], input: &Input) -> anyhow::Result<Counts> {
    let consumer = cluster::reader(&[&topics.accepted, &topics.rejected], 100_000)?;
    let mut found = Found { input, source: &topics.source(), committed, seen: vec![0; usize::try_from(input.count)?] };
    let mut ends = 2 * PARTITIONS;
    while ends > 0 {
        match consumer.poll(PATIENCE).context("the output can't be read to its end")? {
            Ok(message) => {
                let channel = if message.topic() == topics.accepted { Channel::Accepted } else { Channel::Rejected };
                found.record(&message, channel)?;
            }
            Err(KafkaError::PartitionEOF(_)) => ends -= 1,
            Err(error) => return Err(error.into()),
        }
    }
    // So that nothing more is fetched while it is dropped, which it is in any case.
    let _ = consumer.unassign();
    found.counts()
}

struct Found<'f> {
    input: &'f Input,
    /// `ce_source` of every record.
    source: &'f str,
    committed: &'f [i64],
    /// A bit for each channel, by event.
    seen: Vec<u8>,
}

fn bit(channel: Channel) -> u8 {
    match channel {
        Channel::Accepted => 1,
        Channel::Rejected => 2,
    }
}

impl Found<'_> {
    fn record(&mut self, message: &BorrowedMessage<'_>, channel: Channel) -> anyhow::Result<()> {
        let id = header(message, "ce_id").context("no ce_id")?;
        let told = id.strip_suffix(channel.name()).is_some_and(|rest| rest.ends_with('/'));
        let place = position(id, &self.input.topic).filter(|_| told);
        let (partition, offset) = place.with_context(|| format!("ce_id {id:?}"))?;
        ensure!(offset < self.committed[usize::try_from(partition)?], "{id} is there, but its event is not committed");
        let number = input::number(partition, offset);
        let seen = &mut self.seen[usize::try_from(number)?];
        ensure!(*seen & bit(channel) == 0, "{id} is there twice");
        *seen |= bit(channel);
        let outcome = self.input.events.outcome(number);
        ensure!(Channel::of(outcome).contains(&channel), "{id} is there, but its event is {}", outcome.name());
        let told = header(message, "ce_type").and_then(|told| told.strip_prefix("attrsync.verdict."));
        ensure!(told == Some(outcome.name()), "{id} has the type {told:?}: it should be {}", outcome.name());
        let (reason, right) = (header(message, "attrsync-reason"), self.input.events.reason(number));
        ensure!(reason == right, "{id} has the reason {reason:?}: it should be {right:?}");
        match self.input.sample.get(&(number, channel.name())) {
            Some(right) => self.same(message, right).with_context(|| id.to_owned()),
            None => Ok(()),
        }
    }

    /// Whether a record is the one that attrsync would write.
    fn same(&self, message: &BorrowedMessage<'_>, right: &Sampled) -> anyhow::Result<()> {
        ensure!(message.key() == Some(&right.key), "the key is another one than {:?}", input::text(&right.key));
        let own = header(message, names::SOURCE);
        ensure!(own == Some(self.source), "ce_source is {own:?}: it should be {:?}", self.source);
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        let told = headers.map(|header| (header.key.to_owned(), input::text(header.value.unwrap_or_default())));
        let mut told: Vec<_> = told.filter(|(name, _)| name != names::SOURCE).collect();
        told.sort();
        ensure!(told == right.headers, "the headers are {told:?}: they should be {:?}", right.headers);
        says(serde_json::from_slice(message.payload().context("no value")?)?, &right.value)
    }

    /// Counts the verdicts, each of which must be there.
    fn counts(&self) -> anyhow::Result<Counts> {
        let mut counts = Counts::default();
        for (partition, committed) in (0..).zip(self.committed) {
            for offset in 0..*committed {
                let number = input::number(partition, offset);
                let outcome = self.input.events.outcome(number);
                let right: u8 = Channel::of(outcome).iter().map(|channel| bit(*channel)).sum();
                if self.seen[usize::try_from(number)?] != right {
                    bail!("event {partition}/{offset} is committed, but of its records some are missing");
                }
                *match outcome {
                    Outcome::Accepted => &mut counts.accepted,
                    Outcome::Partial => &mut counts.partial,
                    Outcome::Rejected => &mut counts.rejected,
                } += 1;
            }
        }
        Ok(counts)
    }
}

/// The text of a header.
pub(crate) fn header<'m>(message: &'m BorrowedMessage<'_>, name: &str) -> Option<&'m str> {
    let header = message.headers()?.iter().find(|header| header.key == name)?;
    std::str::from_utf8(header.value?).ok()
}

/// Partition and offset in `topic/partition/offset/channel`.
pub(crate) fn position(id: &str, topic: &str) -> Option<(i32, i64)> {
    let (position, _) = id.strip_prefix(topic)?.strip_prefix('/')?.rsplit_once('/')?;
    let (partition, offset) = position.split_once('/')?;
    Some((partition.parse().ok()?, offset.parse().ok()?))
}

/// Whether a value says what `judge` says, as far as a peer must say it.
fn says(mut told: Value, right: &Value) -> anyhow::Result<()> {
    let mut right = right.clone();
    for field in ["verdict", "reason", "event", "organization", "user", "attributes", "companies", "source"] {
        let (told, right) = (&told[field], &right[field]);
        ensure!(told == right, "{field} is {told}: it should be {right}");
    }
    for field in ["rejected", "dropped"] {
        let (told, right) = (refused(told[field].take()), refused(right[field].take()));
        ensure!(told == right, "{field} is {told:?}: it should be {right:?}");
    }
    Ok(())
}

/// Attribute, company and reason of each, in one order.
fn refused(list: Value) -> Vec<[String; 3]> {
    let list = if let Value::Array(list) = list { list } else { Vec::new() };
    let triple = |refused: &Value| ["attribute", "company", "reason"].map(|field| refused[field].to_string());
    let mut all: Vec<_> = list.iter().map(triple).collect();
    all.sort();
    all
}
