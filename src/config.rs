//! The configuration of the process.
