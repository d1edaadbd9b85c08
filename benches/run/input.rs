//! The input of a run: a topic that is made once and taken again by later runs, and a sample of it with the verdicts that
//! `worker::judge` comes to.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use attrsync::{
    domain::{Arena, EventTime, Offset, Partition, Policy, Position, Record, Snapshot},
    emit::{Encoder, names},
    store::{Settings, Source},
    worker::judge,
};
use indicatif::{ProgressBar, ProgressStyle};
use rdkafka::{Message as _, message::BorrowedMessage};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::{
    cluster::{self, PARTITIONS, PATIENCE, Sender},
    events::{self, Events},
    progress,
};

/// How many events of each partition are compared whole.
const SAMPLE: i64 = 250;

/// A topic with events.
pub(crate) struct Input {
    pub(crate) events: Box<dyn Events>,
    pub(crate) topic: String,
    /// How many there are.
    pub(crate) count: i64,
    /// What they are judged by.
    pub(crate) settings: NamedTempFile,
    /// The records of the first events, by event and the channel's name.
    pub(crate) sample: HashMap<(i64, &'static str), Sampled>,
}

/// A record as attrsync writes it, but for its `ce_source`, which is each worker's own.
pub(crate) struct Sampled {
    pub(crate) key: Vec<u8>,
    /// Names and values, in the order of their names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) value: Value,
}

impl Input {
    /// Makes the topic, or takes it from an earlier run.
    pub(crate) fn prepare(events: Box<dyn Events>, count: i64) -> anyhow::Result<Self> {
        let topic = format!("bench-{}-{count}", events.name());
        let settings = NamedTempFile::with_suffix(".toml")?;
        std::fs::write(&settings, events.settings())?;
        let mut input = Self { events, topic, count, settings, sample: HashMap::new() };
        cluster::create(&input.topic)?;
        let found = cluster::records(&input.topic)?;
        if found != count || input.read_sample().is_err() {
            if found > 0 {
                progress(&format!(
                    "{}: the events of an earlier run are others or not all there: they are made anew",
                    input.topic
                ));
                cluster::delete(&[&input.topic])?;
                cluster::create(&input.topic)?;
            }
            input.make()?;
            input.read_sample().context("the events that were just made")?;
        }
        Ok(input)
    }

    fn make(&mut self) -> anyhow::Result<()> {
        let style = ProgressStyle::with_template("{msg} {bar:30} {human_pos} of {human_len}, {eta} left").unwrap();
        let message = format!("{}: making the events", self.topic);
        progress(&message);
        let bar = ProgressBar::new(self.count.unsigned_abs()).with_style(style).with_message(message);
        let mut sender = Sender::to(&self.topic)?;
        for number in 0..self.count {
            sender.send(&self.events.event(number), events::time_ms(number))?;
            if number % 1000 == 0 {
                bar.set_position(number.unsigned_abs());
            }
        }
        sender.flush()?;
        bar.finish_and_clear();
        Ok(())
    }

    /// Judges the first events, and makes sure that they are those of this version of the bench.
    fn read_sample(&mut self) -> anyhow::Result<()> {
        let snapshot = Settings::load(Source::File(self.settings.path().to_owned()), Policy::default())?.current();
        let sample = SAMPLE.min(self.count / i64::from(PARTITIONS));
        let consumer = cluster::reader(&[&self.topic], sample)?;
        let mut left = sample * i64::from(PARTITIONS);
        while left > 0 {
            let message = consumer.poll(PATIENCE).context("no event came")??;
            if message.offset() < sample {
                left -= 1;
                let number = number(message.partition(), message.offset());
                let right = unsigned(&self.events.event(number))? == unsigned(message.payload().unwrap_or_default())?;
                ensure!(right, "event {number} is another one");
                self.judge(number, &message, &snapshot)?;
            }
        }
        Ok(())
    }

    fn judge(&mut self, number: i64, message: &BorrowedMessage<'_>, snapshot: &Snapshot) -> anyhow::Result<()> {
        let time = EventTime::from_millis(message.timestamp().to_millis().context("no timestamp")?);
        let (partition, offset) = (Partition(message.partition()), Offset(message.offset()));
        let position = Position { topic: &self.topic, partition, offset };
        let (timestamp, value) = (Some(time), message.payload());
        let record = Record { position, timestamp, key: None, headers: &[], value, line: None };
        let arena = Arena::new();
        let verdict = judge(&arena, &record, snapshot, time);
        let mut encoder = Encoder::new(String::new(), 1_000_000);
        for output in encoder.encode(&verdict, &record)?.outputs() {
            let headers = output.headers.iter().filter(|(name, _)| *name != names::SOURCE);
            let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), text(value))).collect();
            headers.sort();
            let value = serde_json::from_slice(output.value)?;
            let sampled = Sampled { key: output.key.to_owned(), headers, value };
            self.sample.insert((number, output.channel.name()), sampled);
        }
        let right = verdict.outcome == self.events.outcome(number) && time.millis() == events::time_ms(number);
        ensure!(right, "event {number} has another verdict or time");
        Ok(())
    }
}

/// A header's value, to be compared and shown.
pub(crate) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// An event without its token's signature, which ECDSA makes in another way each time.
fn unsigned(event: &[u8]) -> serde_json::Result<Value> {
    let mut event: Value = serde_json::from_slice(event)?;
    if let Some(Value::String(token)) = event.pointer_mut("/payload/featurebaseJwt") {
        token.truncate(token.rfind('.').unwrap_or(0));
    }
    Ok(event)
}

/// The number of the event that is there.
pub(crate) fn number(partition: i32, offset: i64) -> i64 {
    offset * i64::from(PARTITIONS) + i64::from(partition)
}
