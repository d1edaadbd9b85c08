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

#[test]
fn schemas() {
    for channel in [Channel::Accepted, Channel::Rejected] {
        let schema = serde_json::to_string_pretty(&schema::of(channel)).unwrap();
        holds(&format!("schemas/{}.schema.json", channel.name()), &format!("{schema}\n"));
    }
}

#[test]
fn reasons() {
    let mut page = String::from(
        "# Reasons\n\nGenerated from `src/domain/reason.rs` and `src/domain/hint.rs`. A code is retired, never renamed or reused.\n\n\
         The first reason that applies is the verdict's, in this order. One code serves an event, an attribute and a company alike.\n",
    );
    let mut stage = None;
    for reason in Reason::ALL {
        if stage.replace(reason.stage()) != Some(reason.stage()) {
            let _ = write!(
                page,
                "\n## {}\n\n| code | what it means | what the sender should do |\n|---|---|---|\n",
                reason.stage().name()
            );
        }
        let _ = writeln!(page, "| `{reason}` | {} | {} |", reason.meaning(), reason.advice());
    }
    page.push_str(
        "\n## Hints\n\nWhat a bounded number of tries found out about a rejection. A hint is in the rejected record alone: sent back to a browser \
         it would confirm a guess to whoever forges.\n\n| code | what it says |\n|---|---|\n",
    );
    for hint in Hint::ALL {
        let _ = writeln!(page, "| `{}` | {} |", hint.code(), hint.message());
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
