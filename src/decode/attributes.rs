//! The attributes of a user or of a company: flat ones, those nested in `customFields` and its siblings, and which of two
//! of one name counts.

use super::findings::Findings;
use crate::domain::{Arena, Member, Object, Reason, Rejection, Value, arena::ArenaVec};

/// An attribute as it was sent.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    /// Its name, aliases folded.
    pub name: &'a str,
    /// Its value.
    pub value: Value<'a>,
    /// It is nested, and a flat one of its name counts instead.
    pub shadowed: bool,
}

/// Leaves out the name, which may be any.
impl std::fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attribute")
            .field("value", &self.value)
            .field("shadowed", &self.shadowed)
            .finish_non_exhaustive()
    }
}

/// Collects the attributes of one object.
pub(super) struct Attributes<'a> {
    list: ArenaVec<'a, Attribute<'a>>,
    containers: ArenaVec<'a, Object<'a>>,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(arena: &'a Arena, capacity: usize) -> Self {
        Self { list: arena.list_with(capacity), containers: arena.list() }
    }

    /// A flat attribute under its own name, which no other member of the object can have.
    pub(super) fn own(&mut self, findings: &mut Findings<'a, '_>, name: &'a str, value: Value<'a>) {
        if findings.count_attribute(name) {
            self.list.push(Attribute { name, value, shadowed: false });
        }
    }

    /// A flat attribute that has more than one spelling; two of them must agree.
    pub(super) fn alias(&mut self, findings: &mut Findings<'a, '_>, name: &'static str, value: Value<'a>) {
        match self.list.iter().find(|other| other.name == name) {
            Some(twin) if twin.value == value => findings.count_twin(),
            Some(_) => {
                findings.count_twin();
                findings.note(Rejection::at(Reason::ConflictingFields, name));
            }
            None => self.own(findings, name, value),
        }
    }

    /// `customFields` or a sibling: an object of attributes; anything else but null is an attribute that nobody can have
    /// configured.
    pub(super) fn container(&mut self, findings: &mut Findings<'a, '_>, name: &'a str, value: Value<'a>) {
        match value {
            Value::Object(object) => self.containers.push(object),
            Value::Null => {}
            other => self.own(findings, name, other),
        }
    }

    /// All attributes. A flat one shadows the nested one of its name, as does a field for which `taken` says so; two
    /// nested ones must agree.
    pub(super) fn finish(
        mut self,
        findings: &mut Findings<'a, '_>,
        taken: impl Fn(&str) -> bool,
    ) -> &'a [Attribute<'a>] {
        let flat = self.list.len();
        let nested: usize = self.containers.iter().map(|container| container.0.len()).sum();
        if findings.refuses(nested) {
            return self.list.into_bump_slice();
        }
        for Member { name, value } in self.containers.iter().flat_map(|container| container.0).copied() {
            match self.list.iter().skip(flat).find(|other| other.name == name) {
                Some(twin) if twin.value == value => findings.count_twin(),
                Some(_) => {
                    findings.count_twin();
                    findings.conflict(name);
                }
                None if findings.count_attribute(name) => {
                    let shadowed = taken(name) || self.list.iter().take(flat).any(|other| other.name == name);
                    self.list.push(Attribute { name, value, shadowed });
                }
                None => {}
            }
        }
        self.list.into_bump_slice()
    }
}
