//! docs/CONFIG.md, made from the default file: its comments are the reference. A test compares the two.

use std::fmt::Write;

use super::{DEFAULTS, check::RANGES, layers::VARIABLE_PREFIX};

/// What stands above the tables.
const HEAD: &str = "\
# Configuration

Made from `config.default.toml`, which is embedded in the binary (`attrsync config defaults` prints it); do not edit.

Later sources win: the defaults, then `--config FILE` (else `attrsync.toml` in the working folder, where there is one), then the
environment, then flags. `section.key` is `ATTRSYNC__SECTION__KEY` in the environment and `--set section.key=value` as a flag;
a list is written `a,b`. Within librdkafka's properties an underscore of a variable's name stands for a dot:
`ATTRSYNC__KAFKA__PROPERTIES__SASL_PASSWORD` is `sasl.password`, and `ATTRSYNC__KAFKA__PROPERTIES__SASL_PASSWORD__FILE` names the
file that holds it. A variable's name is read in lower case, and two underscores of it are a dot: where a name in a table has others, as
that of the topic `Boot` has, give the table as a whole, as in `ATTRSYNC__KAFKA__INPUT__TYPES='{\"Boot\" = \"boot\"}'`. A variable
that looks like a key and has one underscore too few (`ATTRSYNC_WORKER__SHARDS`) is not read, and a warning says so.

A key that is not listed here, a value out of range and values that contradict each other are refused before anything starts, with
the key, the value, where it came from and the way out. `attrsync config check` tells them all, and everything that is wrong with
the files that it names: settings, token, certificates; a database is asked only with `--database`. `attrsync config show` prints what is in effect
and where each value came from; secrets are never printed.
";

/// A part of the default file: a section with what is said of it, or a key.
enum Part<'f> {
    Section { name: &'f str },
    Key { name: &'f str, default: &'f str, comment: String },
    Remark { comment: String },
}

/// The whole page.
#[must_use]
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    let mut section = "";
    for part in parts() {
        // Writing to a String cannot fail.
        _ = match part {
            Part::Section { name } => {
                section = name;
                write!(page, "\n## `[{name}]`\n")
            }
            Part::Remark { comment } => write!(page, "\n{comment}\n"),
            Part::Key { name, default, comment } => {
                let key = format!("{section}.{name}");
                let range = RANGES.iter().find(|(ranged, _)| *ranged == key);
                let range =
                    range.map_or(String::new(), |(_, range)| format!(" · {} to {}", range.start(), range.end()));
                let variable = key.replace('.', "__").to_ascii_uppercase();
                write!(page, "\n### `{key}`\nDefault `{default}`{range} · `{VARIABLE_PREFIX}{variable}`\n\n{comment}\n")
            }
        };
    }
    page
}

/// The keys of the default file in its order; an open table's end in a dot.
pub(super) fn order() -> Vec<String> {
    let mut section = "";
    parts()
        .into_iter()
        .filter_map(|part| match part {
            Part::Section { name } => {
                section = name;
                None
            }
            Part::Key { name, .. } => Some(format!("{section}.{name}")),
            Part::Remark { .. } => Some(format!("{section}.")),
        })
        .collect()
}

fn parts() -> Vec<Part<'static>> {
    let mut parts = Vec::new();
    let mut comment = String::new();
    // What stands before the first section is about the file itself.
    for line in DEFAULTS.lines().skip_while(|line| !line.starts_with('[')).chain([""]) {
        if let Some(text) = line.strip_prefix('#') {
            comment.push_str(if comment.is_empty() { text.trim() } else { text });
        } else if let Some((name, default)) = line.split_once(" = ") {
            parts.push(Part::Key { name, default, comment: std::mem::take(&mut comment) });
        } else if let Some(name) = line.strip_prefix('[') {
            parts.push(Part::Section { name: name.trim_end_matches(']') });
        } else if !comment.is_empty() {
            parts.push(Part::Remark { comment: std::mem::take(&mut comment) });
        }
    }
    parts
}
