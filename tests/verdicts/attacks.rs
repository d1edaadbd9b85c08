//! The attack table of docs/SECURITY.md: every row says what holds it, and what it says exists.

use std::{fs, path::Path};

/// The links of a line: what is between the brackets, and where it leads.
fn links(line: &str) -> Vec<(&str, &str)> {
    let mut parts = line.split("](");
    let mut before = parts.next().unwrap_or_default();
    let mut links = Vec::new();
    for part in parts {
        let (target, after) = part.split_once(')').unwrap_or((part, ""));
        links.push((before.rsplit('[').next().unwrap_or_default(), target));
        before = after;
    }
    links
}

#[test]
fn every_row_of_the_attack_table_leads_to_what_holds_it() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = fs::read_to_string(docs.join("SECURITY.md")).unwrap();
    let (_, table) = page.split_once("| attack |").unwrap();
    let rows: Vec<_> = table.lines().skip(1).take_while(|line| line.starts_with('|')).skip(1).collect();
    assert!(rows.len() > 20, "the table has {} rows", rows.len());
    for row in rows {
        let links = links(row);
        assert!(!links.is_empty(), "what holds this? {row}");
        for (name, target) in links.into_iter().filter(|(_, target)| !target.starts_with('#')) {
            let file = fs::read_to_string(docs.join(target)).unwrap_or_else(|error| panic!("{target}: {error}"));
            if target.ends_with(".rs") {
                let test = name.trim_matches('`');
                assert!(file.contains(&format!("fn {test}(")), "{target} has no {test}");
            }
        }
    }
}
