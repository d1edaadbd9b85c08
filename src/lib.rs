//! attrsync: the path of an event. (The full walk is written once every stage stands.)

pub mod cli;
pub mod config;
pub mod decide;
pub mod decode;
pub mod domain;
pub mod emit;
pub mod observe;
pub mod source;
pub mod store;
pub mod verify;
pub mod worker;
