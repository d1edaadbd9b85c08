//! docs/asyncapi.yaml: the topics in and out, what their records carry, and how they are keyed (AsyncAPI 3.0). Written from
//! the headers, schemas and defaults that the code has.

use attrsync::{
    config,
    decode::fields::{UserField, user_field},
    domain::{
        Reason,
        verdict::{Method, Outcome, Status},
    },
    emit::{
        Channel,
        names::{self, Known},
    },
};
use serde_json::{Map, Value, json};

/// The version of Kafka's bindings that is spoken.
const BINDING: &str = "0.5.0";

/// The whole document.
pub(crate) fn document() -> Value {
    let kafka = config::load(&config::Sources::default()).unwrap().config.kafka;
    let mut judge = operation("receive", "input", "event", "One input record ends in exactly one verdict.");
    let group = json!({ "type": "string", "enum": [kafka.group_id] });
    judge["bindings"] = json!({ "kafka": { "groupId": group, "bindingVersion": BINDING } });
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "attrsync",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Reads boot and identify events, and writes what is accepted and what is rejected of each, exactly once. \
                            Generated from the code; names of topics are the defaults of config.default.toml. Read the verdicts \
                            with isolation.level=read_committed.",
            "license": { "name": env!("CARGO_PKG_LICENSE") }
        },
        "defaultContentType": "application/json",
        "servers": {
            "cluster": {
                "host": kafka.bootstrap_servers,
                "protocol": "kafka",
                "description": "The brokers of kafka.bootstrap_servers."
            }
        },
        "channels": {
            "input": channel(&kafka.input.topics[0], "Events of the SDK, as the ingestion gateway writes them.", "event"),
            "accepted": channel(&kafka.accepted_topic, "What was accepted, whole: accepted and partial verdicts.", "accepted"),
            "rejected": channel(&kafka.rejected_topic, "What was rejected and why, without values: rejected and partial verdicts.", "rejected")
        },
        "operations": {
            "judge": judge,
            "accept": operation("send", "accepted", "accepted", "Tells what was set, unset and dropped."),
            "reject": operation("send", "rejected", "rejected", "Tells what was rejected, with the reason.")
        },
        "components": {
            "messages": {
                "event": event(),
                "accepted": verdict(Channel::Accepted, "An accepted or a partial verdict"),
                "rejected": verdict(Channel::Rejected, "A rejected or a partial verdict")
            }
        }
    })
}

fn channel(address: &str, description: &str, message: &str) -> Value {
    json!({
        "address": address,
        "description": description,
        "messages": { message: { "$ref": format!("#/components/messages/{message}") } },
        "bindings": { "kafka": { "topic": address, "bindingVersion": BINDING } }
    })
}

fn operation(action: &str, channel: &str, message: &str, summary: &str) -> Value {
    json!({
        "action": action,
        "channel": { "$ref": format!("#/channels/{channel}") },
        "messages": [{ "$ref": format!("#/channels/{channel}/messages/{message}") }],
        "summary": summary
    })
}

/// What comes in. The value is the sender's: its schema says where things are, not what is right; that is for the verdict.
fn event() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "title": "An event of the SDK",
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {
                "ce_type": text("The type of an event that does not say it itself: boot, identify, or a widget's init_… or initialize_…."),
                "event-type": text("The same, where there is no ce_type."),
                "ce_id": text("The id of an event that has none itself."),
                "traceparent": text("W3C Trace Context; passed on."),
                "tracestate": text("W3C Trace Context; passed on beside traceparent.")
            }
        },
        "payload": {
            "description": "An envelope, or the SDK's object itself. A schema registry's framing (magic byte 0 and four bytes) may stand before it.",
            "anyOf": [
                {
                    "title": "Envelope",
                    "type": "object",
                    "required": ["payload"],
                    "properties": {
                        "id": text("The event's id."),
                        "type": text("The event's type."),
                        "receivedAt": text("When it came in; counts as event time only where policy.event_time says so."),
                        "context": { "type": "object", "properties": { "anonymousId": text("The visitor's id.") } },
                        "payload": sdk_object()
                    }
                },
                sdk_object()
            ]
        },
        "bindings": { "kafka": { "key": text("Not read."), "bindingVersion": BINDING } }
    })
}

/// The SDK's object, by the names that mean something.
fn sdk_object() -> Value {
    let identity = |description: &str| json!({ "type": ["string", "integer", "null"], "description": description });
    let text = |description: &str| json!({ "type": ["string", "null"], "description": description });
    let properties = json!({
        "organization": identity("The tenant's slug."),
        "appId": identity("The tenant's app id."),
        "featurebaseJwt": text("A JWT that the customer's server signed."),
        "userHash": text("The HMAC-SHA256 of userId, else of email, in hex."),
        "userId": identity("The user's id."),
        "email": identity("The user's e-mail address."),
        "anonymousId": identity("The visitor's id."),
        "company": { "description": "One company.", "type": ["object", "null"] },
        "companies": { "description": "The companies; null or an empty list clears them.", "type": ["array", "null"], "items": { "type": "object" } },
        "companyHash": text("The HMAC-SHA256 of the company's id, in hex; also inside a company."),
        "customFields": { "description": "Further attributes.", "type": ["object", "null"] }
    });
    for name in properties.as_object().unwrap().keys() {
        assert!(!matches!(user_field(name), UserField::Custom | UserField::Control), "{name} means nothing to decode");
    }
    json!({ "title": "SDK object", "type": "object", "properties": properties, "additionalProperties": true })
}

/// What goes out on this channel.
fn verdict(channel: Channel, title: &str) -> Value {
    json!({
        "title": title,
        "name": format!("{}Verdict", channel.name()),
        "contentType": "application/json",
        "headers": headers(channel),
        "payload": { "$ref": format!("schemas/{}.schema.json", channel.name()) },
        "bindings": { "kafka": {
            "key": {
                "type": "string",
                "description": "organization:userId, else organization:email, else organization:anonymousId; topic/partition of the source \
                                where no organization or nobody is known. Partitioned as the Java client does (murmur2)."
            },
            "bindingVersion": BINDING
        }}
    })
}

/// The headers of this channel's records: every one that is written, and no other.
pub(crate) fn headers(channel: Channel) -> Value {
    let properties: Map<_, _> =
        names::ALL.iter().map(|known| (known.name.to_owned(), header(channel, known))).collect();
    let always: Vec<_> = names::ALL.iter().filter(|known| known.always).map(|known| known.name).collect();
    json!({ "type": "object", "properties": properties, "required": always })
}

fn header(channel: Channel, known: &Known) -> Value {
    let mut schema = json!({ "type": "string", "description": known.meaning });
    let codes = || Reason::ALL.iter().map(|reason| reason.code()).collect::<Vec<_>>().join("|");
    let (keyword, value) = match known.name {
        "ce_specversion" => ("const", json!("1.0")),
        "ce_id" => ("pattern", json!(format!("^[^/]+/[0-9]+/[0-9]+/{}$", channel.name()))),
        "ce_type" => ("enum", types(channel)),
        "content-type" => ("const", json!("application/json")),
        "attrsync-verification" => {
            let methods = [Method::Jwt, Method::Hmac, Method::None].map(Method::name).join("|");
            let every = [Status::Verified, Status::Unverified, Status::Anonymous, Status::Failed];
            ("pattern", json!(format!("^({methods})(/({}))?$", every.map(Status::name).join("|"))))
        }
        "attrsync-reason" => ("pattern", json!(format!("^({0})(,({0}))*$", codes()))),
        "ce_time" => ("format", json!("date-time")),
        _ => return schema,
    };
    schema[keyword] = value;
    schema
}

/// What records of this channel tell.
fn types(channel: Channel) -> Value {
    let told = Outcome::ALL.into_iter().filter(|outcome| Channel::of(*outcome).contains(&channel));
    told.map(|outcome| format!("attrsync.verdict.{}", outcome.name())).collect()
}
