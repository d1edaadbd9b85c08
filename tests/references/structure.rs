//! Whether a document is AsyncAPI 3.0, as far as can be told without its tools: the fields that each object may have and must
//! have, and references that lead somewhere.

use std::{fs, path::Path};

use serde_json::{Value, json};

/// Fails where the document is none.
pub(crate) fn check(document: &Value) {
    let validator = jsonschema::validator_for(&shape()).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    references(document, document);
    for operation in document["operations"].as_object().unwrap().values() {
        let channel = operation["channel"]["$ref"].as_str().unwrap();
        for message in operation["messages"].as_array().unwrap() {
            let message = message["$ref"].as_str().unwrap();
            assert!(message.starts_with(&format!("{channel}/messages/")), "{message} is none of {channel}");
        }
    }
    for message in document["components"]["messages"].as_object().unwrap().values() {
        jsonschema::meta::validate(&message["headers"]).unwrap();
        assert!(message["headers"]["type"] == "object", "headers are an object of their names");
    }
}

/// The objects of the document by their fields (AsyncAPI 3.0.0, Kafka bindings 0.5.0).
fn shape() -> Value {
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false });
    let map = |of: &Value| json!({ "type": "object", "minProperties": 1, "additionalProperties": of, "propertyNames": { "pattern": "^[A-Za-z0-9_-]+$" } });
    let text = json!({ "type": "string", "minLength": 1 });
    let reference = object(&["$ref"], json!({ "$ref": text }));
    let binding = |fields: Value| {
        let mut fields = fields;
        fields["bindingVersion"] = json!({ "const": "0.5.0" });
        object(&["kafka"], json!({ "kafka": object(&["bindingVersion"], fields) }))
    };
    let schema = json!({ "type": "object" });
    let info = object(
        &["title", "version"],
        json!({ "title": text, "version": text, "description": text, "license": object(&["name"], json!({ "name": text })) }),
    );
    let server =
        object(&["host", "protocol"], json!({ "host": text, "protocol": { "const": "kafka" }, "description": text }));
    let channel = object(
        &["address", "messages"],
        json!({ "address": text, "description": text, "messages": map(&reference), "bindings": binding(json!({ "topic": text })) }),
    );
    let operation = object(
        &["action", "channel"],
        json!({
            "action": { "enum": ["send", "receive"] }, "channel": reference, "summary": text,
            "messages": { "type": "array", "items": reference, "minItems": 1 },
            "bindings": binding(json!({ "groupId": schema, "clientId": schema }))
        }),
    );
    let message = object(
        &["headers", "payload"],
        json!({
            "title": text, "name": text, "contentType": text, "headers": schema, "payload": schema,
            "bindings": binding(json!({ "key": schema }))
        }),
    );
    object(
        &["asyncapi", "info"],
        json!({
            "asyncapi": { "const": "3.0.0" }, "info": info, "defaultContentType": text, "servers": map(&server),
            "channels": map(&channel), "operations": map(&operation),
            "components": object(&["messages"], json!({ "messages": map(&message) }))
        }),
    )
}

/// Follows every reference: inside the document, or to a schema beside it.
fn references(value: &Value, document: &Value) {
    match value {
        Value::Object(object) => {
            if let Some(target) = object.get("$ref").and_then(Value::as_str) {
                match target.strip_prefix('#') {
                    Some(pointer) => assert!(document.pointer(pointer).is_some(), "{target} leads nowhere"),
                    None => schema_beside(target),
                }
            }
            object.values().for_each(|value| references(value, document));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, document)),
        _ => {}
    }
}

fn schema_beside(target: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(target);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{target}: {error}"));
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    references(&schema, &schema);
}
