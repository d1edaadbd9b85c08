//! What is wrong so far, and which keys have no value that anybody knows for that: so that one thing that is wrong hides no other,
//! and is told once.

use std::collections::BTreeSet;

use super::error::Problem;

/// What is wrong so far.
#[derive(Clone, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    /// Keys whose value is wrong. What stands in for it says nothing about other keys.
    in_doubt: BTreeSet<String>,
    /// A file could not be read: what it says of any key, nobody knows.
    unread: bool,
}

impl Findings {
    /// Something is wrong with a key.
    pub(super) fn add(&mut self, key: &str, problem: Problem) {
        self.problems.push(problem);
        self.in_doubt.insert(key.to_owned());
    }

    /// A file can't be read.
    pub(super) fn unread(&mut self, problem: Problem) {
        self.problems.push(problem);
        self.unread = true;
    }

    /// Keys don't fit together.
    pub(super) fn contradiction(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Adds what was found elsewhere.
    pub(super) fn extend(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.in_doubt.extend(other.in_doubt);
        self.unread |= other.unread;
    }

    /// Whether something is wrong with the value of a key, or of one in this table.
    pub(super) fn is_in_doubt(&self, key: &str) -> bool {
        let within =
            |known: &String| known.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.unread || self.in_doubt.iter().any(within)
    }

    /// Everything that is wrong, if anything is.
    pub(super) fn told(self) -> Result<(), Vec<Problem>> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }
}
