//! `attrsync replay` on a real Kafka and PostgreSQL: `eval "$(scripts/services env)"` names them. Each test has topics, a group and a
//! database of its own, and waits for what it waits for with a deadline.

#[path = "../settings/kit.rs"]
#[expect(dead_code, reason = "what the tests of settings need beside")]
mod base;
#[path = "../common/binary.rs"]
mod binary;
#[path = "../common/contract.rs"]
mod contract;
#[path = "../common/headers.rs"]
mod headers;
#[path = "../it/kit/mod.rs"]
#[expect(dead_code, reason = "what the tests of the worker need beside")]
mod kit;
mod ran;

mod as_they_were;
mod into_topics;
mod ranges;
mod rejected;
