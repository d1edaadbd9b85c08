//! The worker on a real Kafka: `eval "$(scripts/services env)"` names it. Each test has topics and a group of its own, and
//! waits for what it waits for with a deadline.

#[path = "../settings/kit.rs"]
#[expect(dead_code, reason = "what the tests of settings need beside")]
mod base;
#[path = "../common/contract.rs"]
mod contract;
mod kit;
#[path = "../settings/proxy.rs"]
#[expect(dead_code, reason = "what the tests of settings need beside")]
mod proxy;

mod end_to_end;
mod faults;
mod logs;
mod probes;
mod settings;
mod topics;
