//! Properties that hold for every input. The number of cases is proptest's own variable: `PROPTEST_CASES=1000000 cargo test
//! --release --test properties` is the long run.

#[path = "../common/mod.rs"]
mod shared;

mod common;
mod conservation;
mod hostile;
mod json;
mod jsonwebtoken;
mod order;
mod tamper;
