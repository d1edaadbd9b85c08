//! References that are generated from the code stand in docs/ as the code has them. `ATTRSYNC_UPDATE=1 cargo test --test
//! references` writes them anew.

use std::{fmt::Write, fs, path::Path};

use attrsync::{
    domain::{Hint, Reason},
    emit::{Channel, schema},
};

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

/// Links to an event and its verdict that show a code: where the event's own member says it, else where any does; the
/// fixture that is called like the code, else the one with the shortest name.
fn example(verdicts: &[(String, String)], member: &str, code: &str) -> String {
    let anywhere = format!("\"{member}\": \"{code}\"");
    let of_event = format!("\n  {anywhere}");
    let rank = |(fixture, verdict): &&(String, String)| {
        let called = fixture.ends_with(&format!("/{}", code.replace('_', "-")));
        (!verdict.contains(&of_event), !called, fixture.len())
    };
    let shown = verdicts.iter().filter(|(_, verdict)| verdict.contains(&anywhere)).min_by_key(rank);
    let (fixture, _) = shown.unwrap_or_else(|| panic!("no fixture shows {code}"));
    let snapshot = fixture.replace('/', "__");
    format!("[event](../tests/fixtures/{fixture}.json), [verdict](../tests/snapshots/{snapshot}.snap)")
}

#[test]
fn schemas() {
    for channel in [Channel::Accepted, Channel::Rejected] {
        let schema = serde_json::to_string_pretty(&schema::of(channel)).unwrap();
        holds(&format!("schemas/{}.schema.json", channel.name()), &format!("{schema}\n"));
    }
}

#[test]
fn reasons() {
    let verdicts = verdicts();
    let mut page = String::from(
        "# Reasons\n\nGenerated from `src/domain/reason.rs` and `src/domain/hint.rs`. A code is retired, never renamed or reused.\n\n\
         The first reason that applies is the verdict's, in this order. One code serves an event, an attribute and a company alike. \
         Each example is an event of the tests, with settings where they matter, and its reviewed verdict.\n",
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
        "\n## Hints\n\nWhat a bounded number of tries found out about a rejection. A hint is in the rejected record alone: sent back to a browser \
         it would confirm a guess to whoever forges.\n\n| code | what it says | example |\n|---|---|---|\n",
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
    holds("METRICS.md", &attrsync::observe::metrics::markdown());
}
