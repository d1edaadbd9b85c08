//! attrsync stands between a product's in-app SDK and everything that trusts its data. It consumes `identify` and `boot`
//! events from Kafka, verifies each signature, refuses unsigned updates of locked attributes, drops attributes that nobody
//! configured, and emits what is left, and every refusal with its reason, exactly once.
//!
//! # The contract
//!
//! One input record ends in exactly one [`Verdict`](domain::Verdict), or its offset stays uncommitted.
//!
//! # The path of an event
//!
//! `source → decode → verify → decide → emit`. The middle three are one pure function, [`worker::judge()`], which reads no
//! clock, no environment and no other record. `run`, `replay`, `explain`, `dev` and the fixtures all call it.
//!
//! 1. [`source`] hands over a [`Record`](domain::Record): bytes, headers, timestamp, position. It rejects nothing.
//! 2. [`decode`] makes an [`UnverifiedEvent`](decode::UnverifiedEvent) of it: framing, one strict JSON document, envelope,
//!    type, id, event time, aliases, limits. It rejects what two parsers could read differently, what passes a limit, and
//!    what says no type.
//! 3. [`verify`] makes a [`Verified`](verify::Verified) of that: which organization, and then a token, else a hash, else what
//!    the organization's enforcement says of neither. It rejects a proof that fails; a failed proof never falls back to a
//!    weaker one. Everything is judged at event time.
//! 4. [`decide`] rules on each attribute, signed or not: set, unset, rejected or dropped, each with its reason. It rejects
//!    the whole event only where the organization wants that.
//! 5. [`emit`] makes one or two records of the verdict and sends them, in the transaction that carries the offsets.
//!
//! Two channels never mix: a [`Rejection`](domain::Rejection) is about the event and becomes a record; a fault is about us
//! (broker, network, bug) and leaves the batch uncommitted.
//!
//! # Where things are
//!
//! Beside the stages:
//!
//! - [`domain`]: the words that all of them speak;
//! - [`store`]: makes the settings that judge, of a file or of PostgreSQL;
//! - [`worker`]: drives the loop, one shard a thread;
//! - [`native`]: librdkafka where its wrapper won't do, and the only `unsafe`;
//! - [`replay`]: reads history again, on as many threads;
//! - [`compare`]: how two judgements of the same events differ;
//! - [`advice`]: what an organization's verdicts suggest about its settings;
//! - [`count`]: bounded tables and sketches, which those two and the dashboard count with;
//! - [`observe`]: tells others how it goes;
//! - [`dashboard`]: reads the verdicts back and shows them;
//! - [`traffic`]: makes events like those of the wild, for `dev` and the benches;
//! - [`config`]: what the process was told;
//! - [`cli`]: a file or folder for each command.

pub mod advice;
pub mod cli;
pub mod compare;
pub mod config;
pub mod count;
pub mod dashboard;
pub mod decide;
pub mod decode;
pub mod domain;
pub mod emit;
pub mod native;
pub mod observe;
pub mod replay;
pub mod source;
pub mod store;
pub mod traffic;
pub mod verify;
pub mod worker;
