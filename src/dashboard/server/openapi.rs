//! The description of the API (OpenAPI 3.1), made from the types that are answered. It stands in docs/openapi.json, and a test holds
//! it against the code.

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    access::COOKIE_NAME,
    problem::Problem,
    query::{MOST_ORGANIZATIONS, MOST_ROWS, ORGANIZATIONS, ROWS},
};
use crate::{
    dashboard::answers::{OrganizationPage, Organizations, Overview, Reasons, VerdictPage, Verdicts},
    domain::verdict::Outcome,
};

/// One thing that can be asked.
struct Endpoint {
    path: &'static str,
    summary: &'static str,
    parameters: Vec<Parameter>,
    /// What is answered.
    content: (&'static str, Schema),
    /// What may go wrong, beyond the token.
    problems: &'static [StatusCode],
}

/// A parameter: its name, its schema and what it says. One in braces of the path is required.
type Parameter = (&'static str, Value, &'static str);

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>();
    let paths: Map<_, _> = endpoints(&mut generator)
        .into_iter()
        .map(|endpoint| (endpoint.path.to_owned(), json!({ "get": operation(&endpoint, &problem) })))
        .chain([("/api/v1/session".to_owned(), json!({ "post": session(&problem) }))])
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "attrsync dashboard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Verdicts, counted and as they come. Times are milliseconds since 1970. What verdicts say was written by \
                whoever sends events: treat every text as hostile. Unknown parameters are refused.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{}, { "token": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "The token of dashboard.token_file." },
                "session": { "type": "apiKey", "in": "cookie", "name": COOKIE_NAME },
            },
        },
    })
}

fn endpoints(generator: &mut SchemaGenerator) -> Vec<Endpoint> {
    let bad = &[StatusCode::BAD_REQUEST][..];
    vec![
        get::<Overview>(generator, "/api/v1/overview", "Health, rates, and what is rejected most", bad),
        get::<Reasons>(generator, "/api/v1/reasons", "Rejections by reason", bad),
        Endpoint {
            parameters: vec![
                ("search", json!({"type": "string"}), "Only those whose slug holds this text."),
                limit(MOST_ORGANIZATIONS, ORGANIZATIONS),
            ],
            ..get::<Organizations>(generator, "/api/v1/organizations", "Every organization", bad)
        },
        Endpoint {
            parameters: vec![("organization", json!({"type": "string"}), "The slug.")],
            ..get::<OrganizationPage>(
                generator,
                "/api/v1/organizations/{organization}",
                "One organization: attributes, keys, enforcement, unconfigured names",
                &[StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
            )
        },
        Endpoint {
            parameters: [
                filters(),
                vec![("before", json!({"type": "string"}), "`next` of the page before."), limit(MOST_ROWS, ROWS)],
            ]
            .concat(),
            ..get::<Verdicts>(generator, "/api/v1/verdicts", "The newest verdicts", bad)
        },
        stream(),
        Endpoint {
            parameters: vec![
                ("topic", json!({"type": "string"}), "The topic of the event."),
                ("partition", json!({"type": "integer"}), "Its partition."),
                ("offset", json!({"type": "integer"}), "Its offset."),
            ],
            ..get::<VerdictPage>(
                generator,
                "/api/v1/verdicts/{topic}/{partition}/{offset}",
                "The verdict of the event at this place, explained",
                &[StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND],
            )
        },
    ]
}

fn get<T: JsonSchema>(
    generator: &mut SchemaGenerator,
    path: &'static str,
    summary: &'static str,
    problems: &'static [StatusCode],
) -> Endpoint {
    let content = ("application/json", generator.subschema_for::<T>());
    Endpoint { path, summary, parameters: Vec::new(), content, problems }
}

fn stream() -> Endpoint {
    let schema = schemars::json_schema!({
        "type": "string",
        "description": "Server-sent events. `verdict`: its data is a verdict (docs/schemas), its id the place of the event. One that is \
            too long has `\"shortened\": true` beside it: values are null there, and what doesn't fit of its lists is left out. One of a replay has \
            the replay's id beside it, as `replay`. `dropped`: the \
            last one, {\"missed\": number, \"message\": text}, for whoever reads too slowly. Comments keep the connection alive. A stream ends \
            after an hour: subscribe again, as an EventSource does by itself."
    });
    Endpoint {
        path: "/api/v1/verdicts/stream",
        summary: "Verdicts as they come",
        parameters: filters(),
        content: ("text/event-stream", schema),
        problems: &[StatusCode::BAD_REQUEST, StatusCode::SERVICE_UNAVAILABLE],
    }
}

fn filters() -> Vec<Parameter> {
    let text = || json!({"type": "string"});
    vec![
        ("verdict", json!({"type": "string", "enum": Outcome::ALL.map(Outcome::name)}), "Only these."),
        ("organization", text(), "Only those of this slug."),
        (
            "reason",
            text(),
            "Only those with this code, for the event or for something that was rejected or dropped of it; beside `attribute`, for that one or for \
                the event.",
        ),
        ("attribute", text(), "Only those that name this attribute."),
        (
            "user",
            text(),
            "Only those of this user: an id exactly, an e-mail address however it is capitalized, or sha256: and the hash of either in hex.",
        ),
        ("event_type", text(), "Only those of this type."),
    ]
}

fn limit(most: usize, default: usize) -> Parameter {
    let schema = json!({"type": "integer", "minimum": 1, "maximum": most, "default": default});
    ("limit", schema, "The most rows.")
}

fn operation(endpoint: &Endpoint, problem: &Schema) -> Value {
    let parameter = |(name, schema, about): &Parameter| {
        let in_path = endpoint.path.contains(&format!("{{{name}}}"));
        let place = if in_path { "path" } else { "query" };
        json!({ "name": name, "in": place, "required": in_path, "schema": schema, "description": about })
    };
    let (kind, schema) = &endpoint.content;
    let mut responses = problems(endpoint.problems, problem);
    responses
        .insert("200".to_owned(), json!({ "description": "The answer.", "content": { *kind: { "schema": schema } } }));
    json!({
        "summary": endpoint.summary,
        "parameters": endpoint.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": responses,
    })
}

fn session(problem: &Schema) -> Value {
    let mut responses = problems(&[], problem);
    responses.insert("204".to_owned(), json!({ "description": "The cookie, good for twelve hours." }));
    json!({
        "summary": "Exchanges the token for a cookie",
        "security": [{ "token": [] }],
        "responses": responses,
    })
}

fn problems(further: &[StatusCode], problem: &Schema) -> Map<String, Value> {
    let all = [StatusCode::UNAUTHORIZED, StatusCode::MISDIRECTED_REQUEST];
    let response = |status: &StatusCode| {
        let content = json!({ "application/problem+json": { "schema": problem } });
        (status.as_str().to_owned(), json!({ "description": status.canonical_reason(), "content": content }))
    };
    further.iter().chain(&all).map(response).collect()
}
