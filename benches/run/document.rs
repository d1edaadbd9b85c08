//! The sections of docs/BENCHMARKS.md that are written by measuring. Each stands between a marker of its own and a common one, so that
//! what people write around them stays.

use std::{fs, path::PathBuf};

use anyhow::Context as _;

const END: &str = "<!-- to here -->";

/// A file of the documentation.
pub(crate) fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "docs", name].iter().collect()
}

/// Puts a text between its marker and the end of its section. `what` tells it from other sections; the peers' has none.
pub(crate) fn write(what: &str, text: &str) -> anyhow::Result<()> {
    let what = if what.is_empty() { String::new() } else { format!(" {what}") };
    let begin = format!("<!-- scripts/bench{what} writes from here -->");
    let path = path("BENCHMARKS.md");
    let document = fs::read_to_string(&path)?;
    let (before, rest) = document.split_once(&begin).with_context(|| format!("{begin} is gone"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{END} is gone after {begin}"))?;
    fs::write(&path, format!("{before}{begin}\n{text}{END}{after}"))?;
    Ok(())
}
