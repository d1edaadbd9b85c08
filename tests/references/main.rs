//! References that are generated from the code stand in docs/ as the code has them. `ATTRSYNC_UPDATE=1 cargo test --test
//! references` writes them anew.

#[path = "../common/settings_schema.rs"]
mod settings_schema;

mod asyncapi;
mod structure;

use std::{fmt::Write, fs, path::Path};

use attrsync::{
    domain::{Hint, Reason},
    emit::{Channel, schema},
    store::{self, document::Document},
};
use serde_json::Value;

/// Compares a file of docs/ with what it should be, or writes it.
fn holds(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("ATTRSYNC_UPDATE").is_some() {
        fs::write(&path, generated).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == generated,
        "docs/{name} is not what the code says; ATTRSYNC_UPDATE=1 cargo test --test references writes it"
    );
}

/// Every reviewed verdict: the fixture as `stage/name`, and its text.
fn verdicts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let mut verdicts: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    verdicts.sort();
    let fixture = |path: &Path| path.file_stem().unwrap().to_str().unwrap().replace("__", "/");
    verdicts.iter().map(|path| (fixture(path), fs::read_to_string(path).unwrap())).collect()
}

/// What a record says of a code, and links to the event and its whole verdict: where the event's own member says it, else
/// where any does; the fixture that is called like the code, else the one with the shortest name.
fn example(verdicts: &[(String, String)], member: &str, code: &str) -> String {
    let anywhere = format!("\"{member}\": \"{code}\"");
    let of_event = format!("\n  {anywhere}");
    let rank = |(fixture, verdict): &&(String, String)| {
        let called = fixture.ends_with(&format!("/{}", code.replace('_', "-")));
        (!verdict.contains(&of_event), !called, fixture.len())
    };
    let shown = verdicts.iter().filter(|(_, verdict)| verdict.contains(&anywhere)).min_by_key(rank);
    let (fixture, verdict) = shown.unwrap_or_else(|| panic!("no fixture shows {code}"));
    let snapshot = fixture.replace('/', "__");
    let said = excerpt(verdict, member, code);
    format!("`{said}` ([event](../tests/fixtures/{fixture}.json), [verdict](../tests/snapshots/{snapshot}.snap))")
}

/// The part of a verdict that says a code.
fn excerpt(snapshot: &str, member: &str, code: &str) -> String {
    let (_, json) = snapshot.split_once("\n---\n").unwrap();
    let verdict: Value = serde_json::from_str(json).unwrap();
    let says = |part: &Value| if member == "code" { part["hint"]["code"] == code } else { part[member] == code };
    let written = |part: &Value, names: &[&str]| {
        let told = names.iter().filter(|name| part.get(**name).is_some_and(|value| !value.is_null()));
        // A hint's message stands in a table of its own.
        let value = |name: &str| match name {
            "hint" => format!("{{\"code\": {}, …}}", part["hint"]["code"]),
            name => part[name].to_string(),
        };
        let members: Vec<_> = told.map(|name| format!("\"{name}\": {}", value(name))).collect();
        format!("{{{}}}", members.join(", "))
    };
    if says(&verdict) {
        return written(&verdict, &["reason", "detail", "hint"]);
    }
    let entries = |list: &'static str| verdict[list].as_array().unwrap().iter().map(move |entry| (list, entry));
    let found = entries("rejected").chain(entries("dropped")).find(|(_, entry)| says(entry));
    let (list, entry) = found.unwrap_or_else(|| panic!("no part of the verdict says {code}"));
    format!("{{\"{list}\": [{}]}}", written(entry, &["attribute", "company", "position", "reason", "hint"]))
}

#[test]
fn schemas() {
    for channel in [Channel::Accepted, Channel::Rejected] {
        let schema = serde_json::to_string_pretty(&schema::of(channel)).unwrap();
        holds(&format!("schemas/{}.schema.json", channel.name()), &format!("{schema}\n"));
    }
}

#[test]
fn the_schema_of_settings() {
    let schema = serde_json::to_string_pretty(&Document::schema()).unwrap();
    holds("schemas/settings.schema.json", &format!("{schema}\n"));
    settings_schema::holds(store::EXAMPLE).unwrap();
    for wrong in
        ["slug = 1", "slug = \"a\"\nattributes.plan.lokced = true", "slug = \"a\"\nenforcement = \"enfroced\"", ""]
    {
        assert!(settings_schema::holds(&format!("[[organizations]]\n{wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn asyncapi() {
    let document = asyncapi::document();
    structure::check(&document);
    let mut text =
        String::from("# Generated from the code: ATTRSYNC_UPDATE=1 cargo test --test references writes it anew.\n");
    // In the order in which people look for them.
    for section in ["asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components"] {
        let section = serde_json::Map::from_iter([(section.to_owned(), document[section].clone())]);
        text += &serde_saphyr::to_string(&section).unwrap();
    }
    holds("asyncapi.yaml", &text);
    let written = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/asyncapi.yaml")).unwrap();
    assert_eq!(serde_saphyr::from_str::<Value>(&written).unwrap(), document);
}

#[test]
fn reasons() {
    let verdicts = verdicts();
    let mut page = String::from(
        "# Reasons\n\nGenerated from `src/domain/reason.rs` and `src/domain/hint.rs`. A code is retired, never renamed or reused.\n\n\
         The first reason that applies is the verdict's, in this order. One code serves an event, an attribute and a company alike, and a token's \
         claims: what is wrong with these, from `duplicate_name` to `invalid_text` and `organization_mismatch`, comes where `claims_malformed` stands. \
         Each example is what a record says, its nulls left out, with the event of the tests that it comes from and its reviewed verdict.\n",
    );
    let mut stage = None;
    for reason in Reason::ALL {
        if stage.replace(reason.stage()) != Some(reason.stage()) {
            let _ = write!(
                page,
                "\n## {}\n\n| code | what it means | what the sender should do | example |\n|---|---|---|---|\n",
                reason.stage().name()
            );
        }
        let example = example(&verdicts, "reason", reason.code());
        let _ = writeln!(page, "| `{reason}` | {} | {} | {example} |", reason.meaning(), reason.advice());
    }
    page.push_str(
        "\n## Hints\n\nWhat a bounded number of tries found out. A hint about a proof is the rejected record's alone: sent back to a browser it would \
         confirm a guess to whoever forges. A hint about an attribute stands beside it in `rejected` and `dropped` of both records: it says \
         no more than the settings do, and belongs to nobody's browser either.\n\n| code | what it says | example |\n|---|---|---|\n",
    );
    for hint in Hint::ALL {
        let example = example(&verdicts, "code", hint.code());
        let _ = writeln!(page, "| `{}` | {} | {example} |", hint.code(), hint.message());
    }
    holds("REASONS.md", &page);
}

#[test]
fn configuration() {
    holds("CONFIG.md", &attrsync::config::reference::markdown());
}

#[test]
fn metrics() {
    holds("METRICS.md", &attrsync::observe::metrics::reference::markdown());
}

#[test]
fn the_api_of_the_dashboard() {
    let document = serde_json::to_string_pretty(&attrsync::dashboard::openapi::document()).unwrap();
    holds("openapi.json", &format!("{document}\n"));
}
