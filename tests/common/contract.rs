//! The contract of what is emitted: every verdict of every test is held against its schema.

use std::sync::OnceLock;

use attrsync::emit::{Channel, schema};
use jsonschema::Validator;
use serde_json::Value;

/// Fails unless `value` is what the schema of this channel says.
pub(crate) fn holds(channel: Channel, value: &Value) {
    static SCHEMAS: [OnceLock<Validator>; 2] = [OnceLock::new(), OnceLock::new()];
    let validator = SCHEMAS[usize::from(channel == Channel::Rejected)]
        .get_or_init(|| jsonschema::validator_for(schema::of(channel).as_value()).unwrap());
    let errors: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?} in {value}");
}
