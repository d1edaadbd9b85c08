//! From being sent to being visible to readers of committed records.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::Headers as _,
};

use crate::{
    cluster::{self, PARTITIONS, PATIENCE, Sender},
    print,
    worker::Worker,
};

/// The first seconds are left out: processes start, groups form.
const WARM_UP: Duration = Duration::from_secs(5);

pub(crate) fn measure(per_second: i64, seconds: i64) {
    let input = cluster::fresh("stream");
    cluster::create(&input);
    let worker = Worker::start(&input);
    let total = per_second * seconds;
    let begun = Instant::now();
    let sent: Arc<Vec<AtomicI64>> = Arc::new((0..total).map(|_| AtomicI64::new(0)).collect());
    let sending = std::thread::spawn({
        let (sent, mut sender) = (Arc::clone(&sent), Sender::to(&input));
        move || {
            for (number, at) in sent.iter().enumerate() {
                let due = Duration::from_secs_f64(number as f64 / per_second as f64);
                while let Some(early) = due.checked_sub(begun.elapsed()).filter(|early| !early.is_zero()) {
                    std::thread::park_timeout(early.max(Duration::from_millis(1)));
                }
                at.store(micros(begun), Relaxed);
                sender.send();
            }
            sender.flush();
        }
    });
    let mut latencies = read(&worker.accepted, &sent, begun);
    sending.join().unwrap();
    worker.stop();
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize] / 1000;
    print(&format!(
        "latency: {per_second} events/s for {seconds} s, sent to visible: p50 {} ms, p90 {} ms, p99 {} ms, p99.9 {} ms, at most {} ms",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0),
    ));
}

/// Reads all verdicts and gives the time that each took, in microseconds.
fn read(topic: &str, sent: &[AtomicI64], begun: Instant) -> Vec<i64> {
    let mut config = cluster::client();
    config.set("group.id", "bench").set("enable.auto.commit", "false").set("isolation.level", "read_committed");
    let consumer: BaseConsumer = config.set("fetch.wait.max.ms", "100").create().unwrap();
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let mut latencies = Vec::with_capacity(sent.len());
    for _ in 0..sent.len() {
        let message = consumer.poll(PATIENCE).expect("a verdict in time").unwrap();
        let id = message.headers().unwrap().iter().find(|header| header.key == "ce_id").unwrap();
        // topic/partition/offset/kind
        let mut position = std::str::from_utf8(id.value.unwrap()).unwrap().rsplit('/').skip(1);
        let mut part = || position.next().unwrap().parse::<usize>().unwrap();
        let (offset, partition) = (part(), part());
        let number = offset * usize::try_from(PARTITIONS).unwrap() + partition;
        let at = sent[number].load(Relaxed);
        if at > i64::try_from(WARM_UP.as_micros()).unwrap() {
            latencies.push(micros(begun) - at);
        }
    }
    latencies
}

fn micros(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_micros()).unwrap()
}
