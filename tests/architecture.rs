//! Holds what the layout promises, by reading the sources' tokens: the pure parts are pure, arrows point one way, `unsafe` has one
//! home, and every file says what it is for. Comments and texts don't count; what stands in a macro does.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What decides about events: no I/O, no clock, no randomness, no environment, and no panic.
const PURE: [&str; 11] = [
    "src/advice/",
    "src/compare/",
    "src/count/",
    "src/domain/",
    "src/decode/",
    "src/verify/",
    "src/decide/",
    "src/worker/judge.rs",
    "src/emit/",
    "src/dashboard/answers/",
    "src/dashboard/board/",
];

/// In `src/emit/`, the one file that sends.
const NOT_PURE: [&str; 1] = ["src/emit/producer.rs"];

/// What the pure parts never name.
const IMPURE: [&str; 17] = [
    "axum",
    "rand",
    "rdkafka",
    "sqlx",
    "tokio",
    "tracing",
    "std::env",
    "std::fs",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "jiff::Timestamp::now",
];

/// What denies panics; it stands in a folder's `mod.rs`, or in the file.
const DENIED: [&str; 3] = ["clippy::unwrap_used", "clippy::expect_used", "clippy::panic"];

/// Which modules a module may name: those below it. The stages never see who watches or drives them.
const ARROWS: [(&str, &[&str]); 18] = [
    ("domain", &[]),
    ("count", &[]),
    ("native", &["domain"]),
    ("config", &["domain"]),
    ("decode", &["domain"]),
    ("verify", &["domain", "decode"]),
    ("decide", &["domain", "decode", "verify"]),
    ("source", &["domain", "native"]),
    ("emit", &["domain", "native"]),
    ("store", &["domain", "decode"]),
    ("traffic", &["domain", "store", "worker"]),
    ("observe", &["domain", "config"]),
    ("compare", &["domain", "count", "decode"]),
    ("advice", &["domain", "count", "decode", "verify"]),
    ("dashboard", &["domain", "native", "source", "count", "advice", "observe"]),
    ("worker", &["domain", "native", "source", "decode", "verify", "decide", "emit", "store", "observe"]),
    ("replay", &["domain", "native", "source", "emit", "store", "worker"]),
    (
        "cli",
        &[
            "domain",
            "count",
            "compare",
            "advice",
            "config",
            "source",
            "decode",
            "verify",
            "decide",
            "emit",
            "store",
            "observe",
            "dashboard",
            "traffic",
            "replay",
            "worker",
        ],
    ),
];

/// The one file that may say `unsafe`.
const UNSAFE: &str = "src/native/mod.rs";

/// A source file: its path from the root of the project, its text, and the paths that its code names.
struct Source {
    path: String,
    text: String,
    names: BTreeSet<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "no source in {folder}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let tokens = TokenStream::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let mut names = BTreeSet::new();
            names_in(tokens, "", &mut names);
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.push(Source { path, text, names });
        }
    }
}

/// Every path as it is written, `use a::{b, c::d}` unfolded into `a::b` and `a::c::d`, and every prefix of each.
fn names_in(tokens: TokenStream, prefix: &str, names: &mut BTreeSet<String>) {
    let mut path = prefix.to_owned();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => {
                path = if path.ends_with("::") { format!("{path}{ident}") } else { format!("{prefix}{ident}") };
                names.insert(path.clone());
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' && path_goes_on(&mut tokens) => path.push_str("::"),
            TokenTree::Group(group) => {
                let of_use = group.delimiter() == Delimiter::Brace && path.ends_with("::");
                names_in(group.stream(), if of_use { &path } else { "" }, names);
                path = prefix.to_owned();
            }
            _ => path = prefix.to_owned(),
        }
    }
}

/// Takes the second colon of a `::`.
fn path_goes_on(tokens: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>) -> bool {
    let second = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    tokens.next_if(second).is_some()
}

fn names_of(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    names_in(TokenStream::from_str(code).unwrap(), "", &mut names);
    names
}

impl Source {
    fn is_pure(&self) -> bool {
        PURE.iter().any(|pure| self.path.starts_with(pure)) && !NOT_PURE.contains(&self.path.as_str())
    }

    /// The folder or file directly below `src/`.
    fn module(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap();
        below.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The modules of the crate that it names, by `crate::…` or by climbing up to the root.
    fn modules_named(&self) -> BTreeSet<&str> {
        let depth = self.path.trim_end_matches("/mod.rs").matches('/').count();
        let climb = "super::".repeat(depth);
        let after =
            |name: &'_ str, start: &str| name.strip_prefix(start).map(|rest| rest.split("::").next().unwrap().len());
        self.names
            .iter()
            .filter_map(|name| {
                let start = if name.starts_with("crate::") { "crate::" } else { climb.as_str() };
                after(name, start).map(|length| &name[start.len()..start.len() + length])
            })
            .filter(|module| ARROWS.iter().any(|(known, _)| known == module))
            .collect()
    }
}

#[test]
fn the_reader_of_sources_unfolds_what_is_named() {
    let names = names_of(
        "use std::{fs, io::{self, Read as R}}; fn f() { g!(tokio::spawn(x)); let y: a::B<c::D> = std::env::var(\"std::net\"); } // std::thread",
    );
    for name in
        ["std::fs", "std::io::self", "std::io::Read", "tokio::spawn", "a::B", "c::D", "std::env::var", "std::env"]
    {
        assert!(names.contains(name), "{name} not in {names:?}");
    }
    assert!(!names.contains("std::net") && !names.contains("std::thread"), "{names:?}");
}

#[test]
fn the_pure_parts_name_nothing_of_the_world() {
    for source in sources("src").iter().filter(|source| source.is_pure()) {
        for impure in IMPURE {
            // `use std::time::Instant` makes `Instant`; the last name alone is looked for as well, where it is a type's.
            let alone = impure.rsplit("::").next().filter(|last| last.starts_with(char::is_uppercase));
            let named = source.names.contains(impure) || alone.is_some_and(|alone| source.names.contains(alone));
            assert!(!named, "{} names {impure}, and what decides about events must not", source.path);
        }
    }
}

#[test]
fn the_pure_parts_deny_panics() {
    for source in sources("src").iter().filter(|source| source.is_pure()) {
        let folder = Path::new(&source.path).parent().unwrap().join("mod.rs");
        let denies = |text: &str| {
            let denied = text.split_once("\n#![deny(").and_then(|(_, rest)| rest.split_once(")]"));
            denied.is_some_and(|(lints, _)| DENIED.iter().all(|lint| lints.contains(lint)))
        };
        let of_folder = || {
            folder
                .ancestors()
                .skip(1)
                .any(|folder| fs::read_to_string(root().join(folder).join("mod.rs")).is_ok_and(|text| denies(&text)))
        };
        assert!(denies(&source.text) || of_folder(), "{}: neither it nor its mod.rs denies {DENIED:?}", source.path);
    }
}

#[test]
fn arrows_point_one_way() {
    for source in sources("src").iter().filter(|source| !["src/lib.rs", "src/main.rs"].contains(&source.path.as_str()))
    {
        let module = source.module();
        let (_, below) = ARROWS
            .iter()
            .find(|(known, _)| *known == module)
            .unwrap_or_else(|| panic!("{}: give the module {module} its place in ARROWS", source.path));
        for named in source.modules_named() {
            assert!(named == module || below.contains(&named), "{}: {module} must not name {named}", source.path);
        }
    }
}

#[test]
fn unsafe_has_one_home() {
    for source in sources("src") {
        assert!(
            source.path == UNSAFE || !source.names.contains("unsafe"),
            "{} says unsafe: only {UNSAFE} may",
            source.path
        );
    }
}

#[test]
fn the_database_has_one_home() {
    for source in sources("src") {
        let at_home = source.path.starts_with("src/store/database/");
        assert!(at_home || !source.names.contains("sqlx"), "{} names sqlx: SQL is in src/store/database", source.path);
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for source in ["src", "tests", "benches"].iter().flat_map(|folder| sources(folder)) {
        assert!(source.text.starts_with("//! "), "{} does not open with //!", source.path);
    }
}
