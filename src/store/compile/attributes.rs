//! Attributes: checked, and completed with the standard ones.

use std::collections::{BTreeMap, HashSet};

use super::{Compiler, boxed, reserved};
use crate::{
    domain::snapshot::{self, AttributeTable, AttributeType},
    store::{
        document::{Attribute, AttributeKind},
        problem::Place,
        standard::{self, Standard, TEXT_CHARS},
    },
};

/// The most attributes that an organization may list, of users or of companies.
const MAX_ATTRIBUTES: usize = 250;

/// Whose attributes a table holds.
pub(super) struct Whose {
    standard: &'static [Standard],
    /// Why a name can't be an attribute's, where it can't.
    reserved: fn(&str) -> Option<String>,
    /// Of which decode makes a list where a text was sent: no other type could ever hold what is sent.
    lists: &'static [&'static str],
}

/// Those of users.
pub(super) const USERS: Whose = Whose { standard: standard::USERS, reserved: reserved::for_users, lists: &["roles"] };
/// Those of companies.
pub(super) const COMPANIES: Whose =
    Whose { standard: standard::COMPANIES, reserved: reserved::for_companies, lists: &[] };

impl Compiler<'_> {
    /// The table of attributes; completes the document's own.
    pub(super) fn attributes(
        &mut self,
        place: &Place,
        attributes: &mut BTreeMap<String, Attribute>,
        whose: &Whose,
    ) -> AttributeTable {
        if attributes.len() > MAX_ATTRIBUTES {
            let message = format!("{} are listed, at most {MAX_ATTRIBUTES} may be", attributes.len());
            self.findings.problem(place, message);
        }
        for entry in attributes.iter() {
            self.check_attribute(&|| place.field(entry.0), entry, whose);
        }
        for standard in whose.standard {
            complete(attributes.entry(standard.name.to_owned()).or_default(), standard);
        }
        self.pool.table(attributes.iter_mut().map(|(name, attribute)| (name.as_str().into(), ready(attribute))))
    }

    /// The place is put into words only where something is wrong: fleets have millions of attributes.
    fn check_attribute(&mut self, place: &dyn Fn() -> Place, (name, attribute): (&String, &Attribute), whose: &Whose) {
        if !self.is_fine(name) {
            self.check_text(&place(), name);
        }
        if let Some(why) = (whose.reserved)(name) {
            self.findings.problem(&place(), why);
        }
        let standard = whose.standard.iter().find(|standard| standard.name == name);
        let Some(kind) = attribute.kind.or(standard.map(|standard| standard.kind)) else {
            self.findings.problem(&place().field("type"), "is missing; it is text, number, boolean, date or text_list");
            return;
        };
        if whose.lists.contains(&name.as_str()) && kind != AttributeKind::TextList {
            let message = "a text that is sent here becomes a list of one, so that this type would refuse it; leave the type out, or \
                           give the attribute another name";
            self.findings.problem(&place().field("type"), message);
        }
        if matches!(kind, AttributeKind::Text | AttributeKind::TextList) {
            self.check_texts(place, attribute);
        } else {
            for (given, field) in
                [(attribute.max_chars.is_some(), "max_chars"), (attribute.options.is_some(), "options")]
            {
                if given {
                    self.findings.problem(&place().field(field), "only for type text or text_list; leave it out");
                }
            }
        }
    }

    fn check_texts(&mut self, place: &dyn Fn() -> Place, attribute: &Attribute) {
        let max_chars = attribute.max_chars.unwrap_or(TEXT_CHARS);
        if max_chars == 0 {
            self.findings.problem(&place().field("max_chars"), "0 accepts no text; archive the attribute instead");
        }
        let Some(options) = &attribute.options else { return };
        let place = place().field("options");
        if options.is_empty() {
            self.findings.problem(&place, "is empty and accepts no text; leave it out where any text is fine");
        }
        let mut seen = HashSet::new();
        for option in options {
            if option.contains('\0') {
                self.findings.problem(&place, "holds U+0000; values with it are rejected");
            }
            if !seen.insert(option) {
                self.findings.problem(&place, format!("`{}` stands twice", option.escape_debug()));
            }
            if option.chars().count() > max_chars.max(1) {
                let message = format!("`{}` is longer than max_chars ({max_chars})", option.escape_debug());
                self.findings.problem(&place, message);
            }
        }
    }
}

/// Adds a standard attribute, or what the document leaves open of it.
fn complete(attribute: &mut Attribute, standard: &Standard) {
    let kind = *attribute.kind.get_or_insert(standard.kind);
    attribute.locked.get_or_insert(standard.locked);
    if kind == standard.kind && standard.max_chars != TEXT_CHARS {
        attribute.max_chars.get_or_insert(standard.max_chars);
    }
}

/// An attribute as it judges; completes the document's own.
fn ready(attribute: &mut Attribute) -> snapshot::Attribute {
    let locked = *attribute.locked.get_or_insert(false);
    // A missing type was found wrong before; what stands in for it is never used.
    let kind = match *attribute.kind.get_or_insert(AttributeKind::Text) {
        AttributeKind::Number => AttributeType::Number,
        AttributeKind::Boolean => AttributeType::Boolean,
        AttributeKind::Date => AttributeType::Date,
        texts => {
            let max_chars = *attribute.max_chars.get_or_insert(TEXT_CHARS);
            let mut options = attribute.options.as_deref().map(boxed).unwrap_or_default();
            options.sort_unstable();
            match texts {
                AttributeKind::TextList => AttributeType::TextList { max_chars, options },
                _ => AttributeType::Text { max_chars, options },
            }
        }
    };
    snapshot::Attribute { kind, locked, archived: attribute.archived }
}
