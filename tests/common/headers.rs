//! The contract of headers: those of every record that a test emits are held against docs/asyncapi.yaml, which describes each. To a
//! subscriber others may come with a later version; none that isn't described is written by this one.

use std::{fs, path::Path, sync::OnceLock};

use attrsync::emit::Channel;
use jsonschema::Validator;
use serde_json::Value;

/// Fails unless `headers`, an object of texts, are what is described of this channel's records.
pub(crate) fn hold(channel: Channel, headers: &Value) {
    static SCHEMAS: [OnceLock<Validator>; 2] = [OnceLock::new(), OnceLock::new()];
    let schema = SCHEMAS[usize::from(channel == Channel::Rejected)].get_or_init(|| described(channel));
    let errors: Vec<_> =
        schema.iter_errors(headers).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?} in {headers}");
}

fn described(channel: Channel) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/asyncapi.yaml");
    let mut document: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let described = &mut document["components"]["messages"][channel.name()]["headers"];
    described["additionalProperties"] = false.into();
    jsonschema::validator_for(described).unwrap()
}
