//! Working off a backlog.

use std::time::{Duration, Instant};

use crate::{
    cluster::{self, Group, Sender},
    print,
    worker::Worker,
};

pub(crate) fn measure(events: i64) {
    let input = backlog(events);
    let worker = Worker::start(&input);
    let group = Group::of(&worker.group, &input);
    let (begun, before) = first_commit(&group);
    let idle = worker.cpu();
    while group.committed() < events {
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let (took, cpu, memory) = (begun.elapsed(), worker.cpu(), worker.peak_memory());
    worker.stop();
    let done = (events - before) as f64;
    print(&format!(
        "throughput: {events} events of 700 B: {:.0} events/s, {:.2} µs of CPU an event, {memory} MiB at most",
        done / took.as_secs_f64(),
        (cpu - idle).as_secs_f64() * 1e6 / done,
    ));
}

/// When the first commit was seen, and what it held: from here on the worker is at work.
fn first_commit(group: &Group) -> (Instant, i64) {
    loop {
        match group.committed() {
            0 => std::thread::park_timeout(Duration::from_millis(5)),
            committed => return (Instant::now(), committed),
        }
    }
}

/// A topic with so many events; one that an earlier run made is taken again.
fn backlog(events: i64) -> String {
    let topic = format!("bench-backlog-{events}");
    cluster::create(&topic);
    match cluster::records(&topic) {
        0 => {
            let mut sender = Sender::to(&topic);
            (0..events).for_each(|_| sender.send());
            sender.flush();
        }
        found => assert_eq!(found, events, "{topic} was not made whole; delete it"),
    }
    topic
}
