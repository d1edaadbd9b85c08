//! What changes, as a table in a terminal. Names are the senders'; they are shown without what a terminal acts on.

use std::fmt::Write as _;

use crate::{
    cli::{
        output::{BAD, DIM, DOUBTFUL, GOOD, styled},
        terminal::safe,
    },
    compare::{
        Ways,
        html::{percent, sender_name, summary},
        report::{AttributeChange, Change, End, OrganizationChange, Report, Sender},
    },
    count::words::{grouped, of_at_least, of_users},
    domain::verdict::Outcome,
};

/// Rows of each list; the JSON has all.
const ROWS: usize = 20;
/// Attributes of each organization.
const ATTRIBUTES: usize = 8;

/// All of it. Writing into a text does not fail.
pub(super) fn table(report: &Report) -> String {
    let mut text = format!("{}\n", summary(report));
    if report.changed.events == 0 {
        return text;
    }
    verdicts(&mut text, report);
    kinds(&mut text, report);
    organizations(&mut text, report);
    for (title, found) in [
        ("by type of event", &report.senders.event_types),
        ("by key", &report.senders.keys),
        ("by SDK", &report.senders.sdks),
    ] {
        senders(&mut text, title, found);
    }
    text
}

fn verdicts(text: &mut String, report: &Report) {
    let title = format!("{} → {}", safe(&report.before.settings), safe(&report.after.settings));
    _ = writeln!(text, "\n{}", styled(DIM.bold(), title));
    for outcome in Outcome::ALL {
        let (was, is) = report.totals(outcome);
        let (was, is) = (grouped(was), grouped(is));
        _ = writeln!(text, "  {was:>12} → {is:<12} {}", badge(outcome));
    }
}

fn kinds(text: &mut String, report: &Report) {
    heading(text, "what changes");
    for turn in report.kinds.iter().take(ROWS) {
        let (from, to) = (end(turn.from), end(turn.to));
        let users = styled(DIM, of_users(Some(turn.users)));
        _ = writeln!(text, "  {:>12}  {from} → {to}{users}", grouped(turn.events));
        if let Some(command) = turn.examples.iter().find_map(|example| example.command.as_deref()) {
            _ = writeln!(text, "                {}", styled(DIM, command));
        }
    }
    more(text, report.kinds.len(), ROWS);
}

fn organizations(text: &mut String, report: &Report) {
    heading(text, "by organization");
    for one in report.organizations.iter().take(ROWS) {
        let name = one.organization.as_deref().unwrap_or("unknown organization");
        let more = report.may_be_more(one);
        let (least, users) = if more { ("at least ", of_at_least(one.users)) } else { ("", of_users(one.users)) };
        let events = format!("{least}{}", grouped(one.changed.events));
        _ = writeln!(
            text,
            "  {events:>12}  {}  {} of its events: {}{}",
            safe(name),
            one.events.map_or_else(|| "an unknown part".to_owned(), |all| percent(one.changed.events, all)),
            ways(one.changed.ways),
            styled(DIM, users)
        );
        attributes(text, one);
    }
    more(text, report.organizations.len(), ROWS);
    others(text, report.other_organizations.changed);
}

fn others(text: &mut String, changed: Change) {
    if changed.events > 0 {
        let told = format_args!("more of organizations that are not told apart: {}", ways(changed.ways));
        _ = writeln!(text, "  {:>12}  {}", grouped(changed.events), styled(DIM, told));
    }
}

fn attributes(text: &mut String, one: &OrganizationChange) {
    for AttributeChange { attribute, of, from, to, events } in one.attributes.iter().take(ATTRIBUTES) {
        let told = |fate: &crate::compare::Fate| match fate.reason() {
            Some(reason) => format!("{} {reason}", fate.name()),
            None => fate.name().to_owned(),
        };
        let after = if from == to { "another value".to_owned() } else { told(to) };
        let owner = if *of == "company" { " of a company" } else { "" };
        _ = writeln!(
            text,
            "  {:>14}{:>12}  {}{owner}: {} → {after}",
            "",
            grouped(*events),
            safe(attribute),
            told(from)
        );
    }
    more(text, one.attributes.len(), ATTRIBUTES);
    if one.other_attributes > 0 {
        let told = styled(DIM, "more of attributes that are not told apart");
        _ = writeln!(text, "  {:>14}{:>12}  {told}", "", grouped(one.other_attributes));
    }
}

fn senders(text: &mut String, title: &str, found: &[Sender]) {
    if found.is_empty() {
        return;
    }
    heading(text, title);
    for Sender { name, changed } in found.iter().take(ROWS) {
        let name = safe(sender_name(name.as_deref()));
        _ = writeln!(text, "  {:>12}  {name}  {}", grouped(changed.events), styled(DIM, ways(changed.ways)));
    }
    more(text, found.len(), ROWS);
}

fn heading(text: &mut String, title: &str) {
    _ = writeln!(text, "\n{}", styled(DIM.bold(), title));
}

fn more(text: &mut String, found: usize, shown: usize) {
    if found > shown {
        _ = writeln!(text, "  {:>12}  {}", "", styled(DIM, format_args!("{} more with --json", found - shown)));
    }
}

fn ways(Ways { stricter, milder, within }: Ways) -> String {
    let each = [(stricter, "stricter"), (milder, "milder"), (within, "within")].into_iter();
    let told = each.filter(|(number, _)| *number > 0).map(|(number, way)| format!("{} {way}", grouped(number)));
    told.collect::<Vec<_>>().join(", ")
}

fn end(End { verdict, reason }: End) -> String {
    reason.map_or_else(|| badge(verdict), |reason| format!("{} {reason}", badge(verdict)))
}

fn badge(outcome: Outcome) -> String {
    let style = match outcome {
        Outcome::Accepted => GOOD,
        Outcome::Partial => DOUBTFUL,
        Outcome::Rejected => BAD,
    };
    styled(style, outcome.name())
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;
    use crate::compare::{Comparison, Side};

    #[test]
    fn what_is_not_told_apart_is_told_together() {
        let side = || Side { settings: "now".to_owned(), version: 1 };
        let mut report = Report::of(&Comparison::new(&RandomState::new()), ((side(), side()), 0), &|_| None);
        let changed = |stricter| Change { events: stricter, ways: Ways { stricter, ..Ways::default() } };
        report.records = 20_000;
        report.changed = changed(1_500);
        report.organizations.push(OrganizationChange {
            organization: Some("acme".to_owned()),
            events: None,
            changed: changed(300),
            users: None,
            verdicts: Vec::new(),
            attributes: Vec::new(),
            other_attributes: 12,
        });
        let without = table(&report);
        report.other_organizations.changed = changed(1_200);
        let with = table(&report);
        assert!(without.contains("300  acme  an unknown part of its events: 300 stricter"), "{without}");
        assert!(
            without.contains("12  ") && without.contains("more of attributes that are not told apart"),
            "{without}"
        );
        assert!(!without.contains("of organizations that are not told apart"), "{without}");
        assert!(with.contains("1,200  "), "{with}");
        assert!(with.contains("more of organizations that are not told apart: 1,200 stricter"), "{with}");
    }
}
