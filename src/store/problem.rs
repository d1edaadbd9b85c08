//! What is wrong with a settings document: where, what, and the way out. Never the value of a secret.

use std::fmt;

/// One thing that is wrong with a settings document, or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line in the file, from 1, where it is known.
    pub line: Option<usize>,
    /// The organization and the field.
    pub place: String,
    /// What is wrong, with the value and the way out.
    pub message: String,
}

impl Problem {
    /// What is found at a place of which no line is known.
    pub(super) fn at(place: &Place, message: impl Into<String>) -> Self {
        Self { line: None, place: place.to_string(), message: message.into() }
    }

    /// The organization whose problem it is, or of a field of which: its [`Place`].
    pub(super) fn of(&self) -> &str {
        self.place.split_once(FIELD).map_or(&self.place, |(organization, _)| organization)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything found in one document: all of it is told at once, not only the first.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What keeps the document from being used.
    pub(super) problems: Vec<Problem>,
    /// What is doubtful.
    pub(super) warnings: Vec<Problem>,
}

const ORGANIZATION: &str = "organization ";

/// What stands between an organization and a field of it. No slug that passed the checks has a colon.
const FIELD: &str = ": ";

/// Where in a document something is found: an organization, then fields.
#[derive(Debug, Clone)]
pub(super) struct Place(String);

impl Place {
    /// The document as a whole.
    pub(super) fn document() -> Self {
        Self(String::new())
    }

    /// An organization as a whole. Names of the document are printed without control characters: they end up on terminals.
    pub(super) fn organization(slug: &str) -> Self {
        Self(format!("{ORGANIZATION}{}", slug.escape_debug()))
    }

    /// A field of it.
    pub(super) fn field(&self, name: &str) -> Self {
        let between = match self.0.as_str() {
            "" => "",
            organization if organization.starts_with(ORGANIZATION) && !organization.contains(FIELD) => FIELD,
            _ => ".",
        };
        Self(format!("{}{between}{}", self.0, name.escape_debug()))
    }

    /// One of a list or a table: `jwt_keys[2026-10]`.
    pub(super) fn entry(&self, name: &str) -> Self {
        Self(format!("{}[{}]", self.0, name.escape_debug()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Findings {
    /// Adds a problem, unless something is wrong at that place already: what could not be read is not also missing.
    pub(super) fn problem(&mut self, place: &Place, message: impl Into<String>) {
        if self.problems.iter().all(|problem| problem.line.is_none() || problem.place != place.0) {
            self.problems.push(Problem::at(place, message));
        }
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, place: &Place, message: impl Into<String>) {
        self.warnings.push(Problem::at(place, message));
    }
}

/// `settings.toml has 2 problems:` and a line for each.
pub(super) fn listed(source_name: &str, problems: &[Problem]) -> String {
    let number = match problems.len() {
        1 => "a problem".to_owned(),
        many => format!("{many} problems"),
    };
    let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    format!("{source_name} has {number}:{lines}")
}
