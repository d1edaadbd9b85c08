//! Settings on a real PostgreSQL: `eval "$(scripts/services env)"` names it. Each test has a database of its own.

mod kit;

mod edits;
mod guards;
mod live;
mod migrations;
mod proxy;
mod roundtrip;
mod secrets;
mod tls;
