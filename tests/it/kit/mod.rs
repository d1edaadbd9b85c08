//! What the tests share: a cluster, topics and a group of their own, worker processes, and the outputs held against the
//! inputs.

pub(crate) mod cluster;
pub(crate) mod dashboard;
pub(crate) mod feed;
pub(crate) mod group;
pub(crate) mod mock;
pub(crate) mod outputs;
pub(crate) mod process;
pub(crate) mod topics;

use std::{
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread,
    time::{Duration, Instant},
};

/// What starts and stops our own services.
pub(crate) const SERVICES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/services");

/// Tests share the broker; the one that restarts it has it alone.
static BROKER: RwLock<()> = RwLock::new(());

/// The broker's address, for as long as this is held.
pub(crate) struct Broker<G>(pub(crate) String, G);

/// The broker, shared with other tests.
pub(crate) fn broker() -> Broker<RwLockReadGuard<'static, ()>> {
    // A test that failed while it held the lock says nothing about the broker.
    Broker(address(), BROKER.read().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// The broker, alone.
pub(crate) fn broker_alone() -> Broker<RwLockWriteGuard<'static, ()>> {
    Broker(address(), BROKER.write().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn address() -> String {
    std::env::var("ATTRSYNC_TEST_KAFKA").expect(
        "ATTRSYNC_TEST_KAFKA names a Kafka: scripts/services up kafka && eval \"$(scripts/services env kafka)\"",
    )
}

/// What `scripts/services env` says of our own service. Of somebody's own nobody knows it, and a test that needs it is left out.
pub(crate) fn ours(variable: &str) -> Option<String> {
    let named = std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: eval \"$(scripts/services env)\" sets it"));
    if named.is_empty() {
        print(&format!("{variable} is not known of somebody's own service: this test is left out"));
        return None;
    }
    Some(named)
}

/// Waits until `holds`, and fails with `what` after the deadline.
pub(crate) fn eventually(what: &str, deadline: Duration, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < deadline, "not within {deadline:?}: {what}");
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// What most tests wait for at most. Generous: the machine may be busy with other tests.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Prints a line: what a test found, or the log of a process that it failed with.
#[expect(clippy::print_stdout, reason = "tests report by what they print")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}
