//! The worker on a real Kafka: `eval "$(scripts/services env)"` names it. Each test has topics and a group of its own, and
//! waits for what it waits for with a deadline.

#[path = "../common/contract.rs"]
mod contract;
#[path = "../common/headers.rs"]
mod headers;
mod kit;

mod end_to_end;
mod faults;
mod logs;
mod probes;
mod topics;
