//! The JSON Schemas (2020-12) of what both topics carry, generated from the very types that are serialized. They stand in
//! docs/schemas, and every record that a test emits is held against them.

use schemars::{Schema, generate::SchemaSettings};

use super::{encode::Channel, view::RejectedView};
use crate::domain::Verdict;

/// The schema of this channel's values.
#[must_use]
pub fn of(channel: Channel) -> Schema {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    match channel {
        Channel::Accepted => generator.into_root_schema_for::<Verdict<'static>>(),
        Channel::Rejected => generator.into_root_schema_for::<RejectedView<'static, 'static>>(),
    }
}
