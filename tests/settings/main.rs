//! Settings on a real PostgreSQL: `eval "$(scripts/services env)"` names it. Each test has a database of its own.

#[path = "../common/binary.rs"]
mod binary;
mod kit;

mod edits;
mod guards;
mod live;
mod migrations;
mod proxy;
mod roundtrip;
mod secrets;
mod tls;
