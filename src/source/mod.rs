//! 1. Records in: Kafka or a file.

pub mod file;
pub mod kafka;
