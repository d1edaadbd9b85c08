//! The worker on a real Kafka: `eval "$(scripts/services env)"` names it. Each test has topics and a group of its own, and
//! waits for what it waits for with a deadline.

#[path = "../settings/kit.rs"]
#[expect(dead_code, reason = "what the tests of settings need beside")]
mod base;
#[path = "../common/binary.rs"]
mod binary;
#[path = "../common/contract.rs"]
mod contract;
#[path = "../common/headers.rs"]
mod headers;
mod kit;
#[path = "../settings/proxy.rs"]
#[expect(dead_code, reason = "what the tests of settings need beside")]
mod proxy;

mod at_least_once;
mod broker;
mod cluster;
mod dashboard;
mod end_to_end;
mod fencing;
mod history;
mod injected;
mod inputs;
mod logs;
mod poison;
mod probes;
mod rebalance;
mod secure;
mod settings;
mod stopping;
mod telemetry;
mod topics;
mod traffic;
