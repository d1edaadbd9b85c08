//! What decide made of each attribute and company.

use super::steps::{Case, Mark, Part, Steps, theirs, words};
use crate::domain::{
    Reason, Verdict,
    snapshot::AttributeType,
    verdict::{Attributes, Company, MEMBERSHIP, Refused, Unset},
};

/// Fields that we name ourselves, whatever is configured.
pub(super) const OURS: [&str; 11] = [
    "userId",
    "email",
    "anonymousId",
    "organization",
    "appId",
    "companies",
    "userHash",
    "companyHash",
    "exp",
    "nbf",
    "iat",
];

impl Case<'_, '_> {
    /// What became of each attribute and company.
    pub(super) fn decide(&self, steps: &mut Steps) {
        let Verdict { attributes, unset, companies, rejected, dropped, .. } = self.verdict;
        self.set(steps, None, (attributes, unset));
        for company in companies.unwrap_or_default() {
            let Company { id, verified, attributes, unset } = *company;
            steps.add(Mark::Passed, [words("member of company "), theirs(id), words(signed(verified))]);
            self.set(steps, Some(id), (attributes, unset));
        }
        if companies.is_some_and(<[_]>::is_empty) {
            steps.say(Mark::Passed, "member of no company any more");
        }
        for refused in rejected {
            self.refused(steps, Mark::Failed, refused);
        }
        for refused in dropped {
            self.refused(steps, Mark::Dropped, refused);
        }
        if let Some(reason) = self.verdict.reason {
            steps.say(Mark::Failed, reason.code());
        }
    }

    fn refused(&self, steps: &mut Steps, mark: Mark, refused: &Refused<'_>) {
        let how = if mark == Mark::Failed { "rejected" } else { "dropped" };
        let Refused { attribute, company, position, reason, hint, .. } = *refused;
        let mut parts = self.of_company(company, attribute);
        parts.extend(position.map(|position| words(format!(" (entry {position}, counted from 0)"))));
        parts.push(words(format!(" {how}, {reason}")));
        steps.add(mark, parts);
        steps.by(setting(reason, attribute, company.is_some()));
        steps.explain(reason.meaning());
        if mark == Mark::Failed {
            steps.explain(reason.advice());
        }
        for more in [self.expected(reason, company, attribute), hint.map(|hint| format!("Hint: {}", hint.message()))] {
            more.into_iter().for_each(|more| steps.explain(more));
        }
    }

    /// What the settings say of an attribute whose value does not fit.
    fn expected(&self, reason: Reason, company: Option<&str>, attribute: &str) -> Option<String> {
        let fits = matches!(reason, Reason::WrongType | Reason::NotAnOption | Reason::TooLong);
        self.configured(company, attribute).filter(|_| fits).map(|kind| format!("It takes {}.", taken(kind)))
    }

    /// The type of an attribute that the settings name.
    fn configured(&self, company: Option<&str>, attribute: &str) -> Option<&AttributeType> {
        let organization = self.snapshot.by_slug(self.verdict.organization?)?;
        let table = if company.is_some() { &organization.company_attributes } else { &organization.user_attributes };
        Some(&table.get(attribute)?.kind)
    }

    /// What was set and unset, of the user or of a company.
    fn set(&self, steps: &mut Steps, company: Option<&str>, (attributes, unset): (Attributes<'_>, &[Unset<'_>])) {
        for attribute in attributes.0 {
            let value = serde_json::to_string(&attribute.value).unwrap_or_default();
            let mut parts = self.of_company(company, attribute.name);
            parts.extend([words(" = "), theirs(value), words(signed(attribute.verified))]);
            steps.add(Mark::Passed, parts);
        }
        for unset in unset {
            let mut parts = self.of_company(company, unset.attribute);
            parts.extend([words(" unset"), words(signed(unset.verified))]);
            steps.add(Mark::Passed, parts);
        }
    }

    /// An attribute's name, of a company where it is one's. One that is configured nowhere is the sender's.
    fn of_company(&self, company: Option<&str>, attribute: &str) -> Vec<Part> {
        let ours = OURS.contains(&attribute) || self.configured(company, attribute).is_some();
        let name = if ours { words(attribute) } else { theirs(attribute) };
        match company {
            Some(id) => vec![words("company "), theirs(id), words(": "), name],
            None => vec![name],
        }
    }
}

/// The setting by which an attribute or a company was refused.
fn setting(reason: Reason, attribute: &str, of_company: bool) -> &'static str {
    let of_company = of_company && attribute != MEMBERSHIP;
    match (reason, of_company) {
        (Reason::Locked, _) if attribute == MEMBERSHIP => "settings membership.locked",
        (Reason::Locked, false) => "settings attributes.locked",
        (Reason::Locked, true) => "settings company_attributes.locked, membership.locked",
        (Reason::NotConfigured, false) => "settings attributes",
        (Reason::NotConfigured, true) => "settings company_attributes",
        (Reason::Archived, false) => "settings attributes.archived",
        (Reason::Archived, true) => "settings company_attributes.archived",
        (Reason::WrongType, false) => "settings attributes.type",
        (Reason::WrongType, true) => "settings company_attributes.type",
        (Reason::NotAnOption, false) => "settings attributes.options",
        (Reason::NotAnOption, true) => "settings company_attributes.options",
        (Reason::TooLong, false) => "settings attributes.max_chars",
        (Reason::TooLong, true) => "settings company_attributes.max_chars",
        (Reason::EventRejected, _) => "settings on_rejected_attribute",
        (Reason::CompanyHashMismatch | Reason::CompanyHashUnchecked, _) => "settings identity_secrets, RFC 2104",
        _ => "",
    }
}

fn signed(verified: bool) -> &'static str {
    if verified { ", signed" } else { ", unsigned" }
}

/// What values an attribute of this type takes.
fn taken(kind: &AttributeType) -> String {
    let (what, max_chars, options) = match kind {
        AttributeType::Number => return "a number".to_owned(),
        AttributeType::Boolean => return "true or false".to_owned(),
        AttributeType::Date => return "a date: ISO 8601, or a Unix time".to_owned(),
        AttributeType::Text { max_chars, options } => ("a text", max_chars, options),
        AttributeType::TextList { max_chars, options } => ("a list of texts, each", max_chars, options),
    };
    if options.is_empty() {
        format!("{what} of at most {max_chars} characters")
    } else {
        format!("{what} one of: {}", options.join(", "))
    }
}
