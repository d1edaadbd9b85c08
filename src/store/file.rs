//! TOML to a settings document, and everything that is wrong with its shape.
//!
//! serde stops at the first thing that does not fit. So that one try shows all of them, the place of each is taken out of the
//! parsed table and the rest is read again. What the TOML reader prints of its own is not used: it quotes the line, and a
//! line may hold a secret.

use std::ops::Range;

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer, Error},
};

use super::{
    document::Document,
    problem::{Place, Problem},
};

/// More than anybody reads at once.
const MAX_PROBLEMS: usize = 100;

/// What could be read of a document.
#[derive(Debug, Clone)]
pub(super) struct Parsed {
    /// The document without what does not fit its shape.
    pub(super) document: Document,
    /// What does not fit.
    pub(super) problems: Vec<Problem>,
}

/// Reads a document.
///
/// # Errors
/// Where the text is not TOML, or too little of it is left to be read at all.
pub(super) fn parse(text: &str) -> Result<Parsed, Vec<Problem>> {
    let (mut table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<_> = errors.iter().take(MAX_PROBLEMS).map(|error| not_toml(text, error)).collect();
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.line);
        return Err(problems);
    }
    loop {
        let error = match Document::deserialize(Deserializer::from(table.clone())) {
            Ok(document) => {
                problems.sort_by_key(|problem| problem.line);
                return Ok(Parsed { document, problems });
            }
            Err(error) => error,
        };
        let misfit = error.span().and_then(|span| Misfit::find(table.get_ref(), &span));
        let Some(Misfit { path, .. }) = misfit.filter(|_| problems.len() < MAX_PROBLEMS) else {
            problems.push(Problem {
                line: line_of(text, &error),
                place: String::new(),
                message: told(error.message(), false),
            });
            return Err(problems);
        };
        let problem = misfit_at(text, &error, &place(&table, &path));
        // What was taken out for being wrong is then missing; that has been told already.
        if problems.iter().all(|told| told.place != problem.place) {
            problems.push(problem);
        }
        remove_from_table(table.get_mut(), &path);
    }
}

fn not_toml(text: &str, error: &Error) -> Problem {
    Problem { line: line_of(text, error), place: String::new(), message: format!("not TOML: {}", error.message()) }
}

fn misfit_at(text: &str, error: &Error, place: &Place) -> Problem {
    let message = error.message();
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let place = missing.map_or_else(|| place.clone(), |field| place.field(field));
    let beside_secrets = ["jwt_keys[", "identity_secrets["].iter().any(|list| place.to_string().contains(list));
    let message = missing.map_or_else(|| told(message, beside_secrets), |_| "is missing".to_owned());
    Problem { line: line_of(text, error), place: place.to_string(), message }
}

/// serde's message, fit to be shown: a field is in the place already, and a text in the wrong place may be a secret.
fn told(message: &str, beside_secrets: bool) -> String {
    if let Some(known) = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, ")) {
        return format!("is not known, {}", known.1);
    }
    let variant = message.strip_prefix("unknown variant `").filter(|_| beside_secrets);
    if let Some((_, expected)) = variant.and_then(|rest| rest.split_once("`, expected one of ")) {
        return format!("a text that is not known, expected one of {expected}");
    }
    match (message.find(": string \""), message.rfind("\", expected ")) {
        (Some(start), Some(end)) if start < end => format!("{}: a text{}", &message[..start], &message[end + 1..]),
        _ => message.to_owned(),
    }
}

fn line_of(text: &str, error: &Error) -> Option<usize> {
    let before = text.as_bytes().get(..error.span()?.start)?;
    Some(1 + before.iter().filter(|byte| **byte == b'\n').count())
}

/// A step from a table or a list to one of its entries.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

/// The entry at which reading stopped: of those whose text holds the error the one with the shortest, and of equals the
/// deepest. (A table's own span is its header alone, so that the whole tree is searched.)
struct Misfit {
    path: Vec<Step>,
    length: usize,
}

impl Misfit {
    fn find(table: &DeTable<'_>, error: &Range<usize>) -> Option<Self> {
        let mut best = None;
        in_table(table, error, &mut Vec::new(), &mut best);
        best
    }
}

fn in_table(table: &DeTable<'_>, error: &Range<usize>, path: &mut Vec<Step>, best: &mut Option<Misfit>) {
    for (key, value) in table {
        path.push(Step::Key(key.get_ref().clone().into_owned()));
        consider(key.span(), error, path, best);
        in_value(value, error, path, best);
        path.pop();
    }
}

fn in_value(value: &Spanned<DeValue<'_>>, error: &Range<usize>, path: &mut Vec<Step>, best: &mut Option<Misfit>) {
    consider(value.span(), error, path, best);
    match value.get_ref() {
        DeValue::Table(table) => in_table(table, error, path, best),
        DeValue::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                path.push(Step::Index(index));
                in_value(entry, error, path, best);
                path.pop();
            }
        }
        _ => {}
    }
}

fn consider(span: Range<usize>, error: &Range<usize>, path: &[Step], best: &mut Option<Misfit>) {
    let holds = span.start <= error.start && error.end <= span.end;
    if holds && best.as_ref().is_none_or(|best| span.len() <= best.length) {
        *best = Some(Misfit { path: path.to_vec(), length: span.len() });
    }
}

/// The place in words: an organization by its slug, a key by its id.
fn place(table: &Spanned<DeTable<'_>>, path: &[Step]) -> Place {
    let mut place = Place::document();
    let mut table = Some(table.get_ref());
    let mut value: Option<&DeValue<'_>> = None;
    for step in path {
        let next = match step {
            Step::Key(key) => table.and_then(|table| table.get(key.as_str())),
            Step::Index(index) => value.and_then(|list| list.get(*index)),
        };
        let next = next.map(Spanned::get_ref);
        let name = |name| next.and_then(|entry| entry.get(name)).and_then(|name| name.get_ref().as_str());
        place = match step {
            Step::Key(key) => place.field(key),
            Step::Index(index) => match name("slug") {
                Some(slug) => Place::organization(slug),
                None => place.entry(name("id").unwrap_or(&format!("#{}", index + 1))),
            },
        };
        (table, value) = (next.and_then(DeValue::as_table), next);
    }
    place
}

fn remove_from_table(table: &mut DeTable<'_>, path: &[Step]) {
    match path {
        [Step::Key(key)] => {
            table.remove(key.as_str());
        }
        [Step::Key(key), rest @ ..] => {
            if let Some(value) = table.get_mut(key.as_str()) {
                remove_from_value(value.get_mut(), rest);
            }
        }
        _ => {}
    }
}

fn remove_from_value(value: &mut DeValue<'_>, path: &[Step]) {
    match (value, path) {
        (DeValue::Table(table), path) => remove_from_table(table, path),
        (DeValue::Array(entries), [Step::Index(index)]) => {
            let kept = entries.iter().enumerate().filter(|(at, _)| at != index).map(|(_, entry)| entry.clone());
            *entries = kept.collect();
        }
        (DeValue::Array(entries), [Step::Index(index), rest @ ..]) => {
            if let Some(entry) = entries.get_mut(*index) {
                remove_from_value(entry.get_mut(), rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(text: &str) -> Vec<String> {
        let problems = match parse(text) {
            Ok(parsed) => parsed.problems,
            Err(problems) => problems,
        };
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_document_reads() {
        let text = "[[organizations]]\nslug = \"acme\"\nattributes.plan.type = \"text\"";
        let Parsed { document, problems } = parse(text).unwrap();
        assert_eq!(problems, []);
        assert_eq!(document.organizations[0].slug, "acme");
    }

    #[test]
    fn everything_that_is_wrong_with_the_shape_is_told_at_once() {
        let text = r#"
[[organizations]]
slug = "acme"
enforcement = "enfroced"
[organizations.token]
max_age_s = -1
[[organizations.jwt_keys]]
id = "2026-10"
algorithm = "HS265"
secret = "s3cret"
[[organizations.jwt_keys]]
algorithm = "HS256"
secret = { envv = "s3cret" }
[organizations.attributes]
plan = { type = "txt", lokced = true }
[organizations.membership]
locked = "yes"
[[organizations]]
app_id = 12
[organisation]
"#;
        assert_eq!(
            told_of(text),
            [
                "line 4: organization acme: enforcement: unknown variant `enfroced`, expected one of `enforced`, `observe`, \
                 `off`",
                "line 6: organization acme: token.max_age_s: invalid value: integer `-1`, expected u32",
                "line 9: organization acme: jwt_keys[2026-10].algorithm: a text that is not known, expected one of `HS256`, \
                 `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `ES256`, `ES384`, `EdDSA`",
                "line 11: organization acme: jwt_keys[#1].id: is missing",
                "line 13: organization acme: jwt_keys[#1].secret: a secret is \"text\", { env = \"NAME\" } or { file = \"PATH\" }",
                "line 15: organization acme: attributes.plan.lokced: is not known, expected one of `type`, `max_chars`, \
                 `options`, `locked`, `archived`",
                "line 15: organization acme: attributes.plan.type: unknown variant `txt`, expected one of `text`, `number`, \
                 `boolean`, `date`, `text_list`",
                "line 17: organization acme: membership.locked: invalid type: a text, expected a boolean",
                "line 18: organizations[#2].slug: is missing",
                "line 19: organizations[#2].app_id: invalid type: integer `12`, expected a string",
                "line 20: organisation: is not known, expected `organizations`",
            ]
        );
    }

    #[test]
    fn what_is_not_toml_is_told_by_line_without_quoting_it() {
        let text = "[[organizations]]\nslug = \"acme\"\n[[organizations.jwt_keys]]\nsecret = \"s3cret\nid = s3cret\n[x";
        let told = told_of(text);
        assert!(told.len() >= 2, "{told:?}");
        assert_eq!(told[0], "line 4: not TOML: invalid basic string, expected `\"`");
        assert!(told.iter().all(|told| !told.contains("s3cret")), "{told:?}");
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_quoted() {
        for text in [
            "jwt_keys = \"s3cret\"",
            "jwt_keys = [\"s3cret\"]",
            "jwt_keys = [{ secret = 1111 }]",
            "token = \"s3\\\", expected cret\"",
            "jwt_keys = [{ id = \"a\", algorithm = \"s3cret\\\"\", secret = \"HS256\" }]",
            "jwt_keys = [{ id = \"a\", algorithm = \"HS256\", valid_from = \"s3cret\\\"\" }]",
        ] {
            let told = told_of(&format!("[[organizations]]\nslug = \"acme\"\n{text}")).join("\n");
            assert!(!told.is_empty() && !told.contains("cret\"") && !told.contains("1111"), "{told}");
        }
    }

    #[test]
    fn a_file_full_of_faults_ends() {
        let text = format!(
            "{}[[organizations]]\nslug = \"acme\"",
            (0..500).map(|n| format!("x{n} = 1\n")).collect::<String>()
        );
        assert_eq!(told_of(&text).len(), MAX_PROBLEMS + 1);
    }
}
