//! What changes, by kind, by organization and by sender. Where a table has no room, each of its rows becomes a card.

use super::{charts, markup::Markup, minute, percent};
use crate::{
    compare::{
        Fate,
        report::{AttributeChange, Change, End, Example, OrganizationChange, Report, Sender, Turn},
    },
    count::words::{grouped, of_at_least, of_users, times},
};

/// Rows that are shown of what can be long; the JSON has all.
const ROWS: usize = 100;

/// What changes, by verdict and reason.
pub(super) fn kinds(page: &mut Markup, report: &Report) {
    page.raw("<section><h2>What changes</h2>");
    if report.kinds.is_empty() {
        page.raw("<p class=\"empty\">Nothing: every verdict stays as it is.</p></section>");
        return;
    }
    page.raw("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Before</th><th scope=\"col\">After</th><th scope=\"col\" class=\"number\">Events</th><th scope=\"col\" class=\"number\">Users</th><th scope=\"col\">Look at one</th></tr></thead><tbody>");
    for turn in report.kinds.iter().take(ROWS) {
        kind(page, turn);
    }
    page.raw("</tbody></table></div>");
    more(page, report.kinds.len());
    page.raw("</section>");
}

fn kind(page: &mut Markup, Turn { from, to, events, users, examples }: &Turn) {
    page.raw("<tr><th scope=\"row\" data-label=\"Before\"><div>");
    end(page, *from);
    page.raw("</div></th><td data-label=\"After\"><div>");
    end(page, *to);
    page.raw("</div></td><td class=\"number\" data-label=\"Events\">").text(grouped(*events));
    page.raw("</td><td class=\"number\" data-label=\"Users\">")
        .text(users)
        .raw("</td><td class=\"wide\" data-label=\"Look at one\"><div>");
    examples.iter().for_each(|one| example(page, one));
    page.raw("</div></td></tr>");
}

fn end(page: &mut Markup, End { verdict, reason }: End) {
    page.raw("<span class=\"badge ").text(verdict.name()).raw("\">").text(verdict.name()).raw("</span>");
    if let Some(reason) = reason {
        page.raw("<code>")
            .text(reason.code())
            .raw("</code><p class=\"dim\">")
            .text(reason.meaning().replace('`', ""))
            .raw("</p>");
    }
}

fn example(page: &mut Markup, Example { place, time, organization, command }: &Example) {
    page.raw("<details><summary><code>").foreign(&place.topic);
    page.text(format_args!("/{}/{}", place.partition, place.offset)).raw("</code></summary><p class=\"dim\">");
    page.foreign(organization.as_deref().unwrap_or("unknown organization"))
        .raw(", <time>")
        .text(minute(*time))
        .raw("</time></p>");
    if let Some(command) = command {
        page.raw("<pre tabindex=\"0\">").text(command).raw("</pre>");
    }
    page.raw("</details>");
}

/// What changes, by organization, with its attributes.
pub(super) fn organizations(page: &mut Markup, report: &Report) {
    if report.changed.events == 0 {
        return;
    }
    page.raw("<section><h2>By organization</h2>");
    let most = report.organizations.iter().map(|one| one.changed.events).max().unwrap_or_default();
    for (at, organization) in report.organizations.iter().take(ROWS).enumerate() {
        page.raw(if at < 5 { "<details class=\"card\" open><summary>" } else { "<details class=\"card\"><summary>" });
        of_organization(page, organization, (most, &part(report, organization)));
        page.raw("</details>");
    }
    more(page, report.organizations.len());
    others(page, report.other_organizations.changed);
    page.raw("</section>");
}

fn others(page: &mut Markup, Change { events, ways }: Change) {
    if events > 0 {
        page.raw("<p class=\"dim\">")
            .text(format_args!("{} more of organizations that are not told apart: ", times(events, "event", "events")))
            .text(charts::words(ways))
            .raw(".</p>");
    }
}

/// How much of an organization changes, as far as that is known.
fn part(report: &Report, one: &OrganizationChange) -> String {
    let events = one.changed.events;
    if let Some(all) = one.events {
        let (part, users) = (percent(events, all), of_users(one.users));
        return format!("{} of {} events change ({part}){users}", grouped(events), grouped(all));
    }
    let change = times(events, "event changes", "events change");
    if report.may_be_more(one) {
        format!("at least {change}, of an unknown number{}", of_at_least(one.users))
    } else {
        format!("{change}, of an unknown number{}", of_users(one.users))
    }
}

fn of_organization(page: &mut Markup, one: &OrganizationChange, (most, part): (u64, &str)) {
    page.raw("<span class=\"name\">")
        .foreign(one.organization.as_deref().unwrap_or("unknown organization"))
        .raw("</span>");
    charts::ways(page, one.changed.ways, most);
    page.raw("<span class=\"note\">")
        .text(part)
        .raw(": ")
        .text(charts::words(one.changed.ways))
        .raw("</span></summary>");
    attributes(page, one);
}

fn attributes(page: &mut Markup, one: &OrganizationChange) {
    if !one.attributes.is_empty() {
        table_of_attributes(page, &one.attributes);
    } else if one.other_attributes == 0 {
        page.raw("<p class=\"dim\">No attribute ends otherwise.</p>");
    }
    if one.other_attributes > 0 {
        page.raw("<p class=\"dim\">")
            .text(format_args!("{} more of attributes that are not told apart.", grouped(one.other_attributes)))
            .raw("</p>");
    }
}

fn table_of_attributes(page: &mut Markup, attributes: &[AttributeChange]) {
    page.raw("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Attribute</th><th scope=\"col\">Before</th><th scope=\"col\">After</th><th scope=\"col\" class=\"number\">Events</th></tr></thead><tbody>");
    for AttributeChange { attribute, of, from, to, events } in attributes.iter().take(ROWS) {
        page.raw("<tr><th scope=\"row\" data-label=\"Attribute\"><div>").foreign(attribute);
        if *of == "company" {
            page.raw(" <span class=\"dim\">of a company</span>");
        }
        page.raw("</div></th><td data-label=\"Before\"><div>");
        fate(page, *from);
        page.raw("</div></td><td data-label=\"After\"><div>");
        if from == to {
            page.raw("another value");
        } else {
            fate(page, *to);
        }
        page.raw("</div></td><td class=\"number\" data-label=\"Events\">").text(grouped(*events)).raw("</td></tr>");
    }
    page.raw("</tbody></table></div>");
    more(page, attributes.len());
}

fn fate(page: &mut Markup, fate: Fate) {
    let class = match fate {
        Fate::Set(_) | Fate::Unset(_) | Fate::Emptied => "accepted",
        Fate::Rejected(_) => "rejected",
        Fate::Dropped(_) | Fate::Absent => "dropped",
    };
    page.raw("<span class=\"badge ").text(class).raw("\">").text(fate.name()).raw("</span>");
    if let Some(reason) = fate.reason() {
        page.raw("<code>").text(reason.code()).raw("</code>");
    }
}

/// What changes, by who sends it.
pub(super) fn senders(page: &mut Markup, report: &Report) {
    if report.changed.events == 0 {
        return;
    }
    page.raw("<section><h2>By sender</h2><div class=\"senders\">");
    let senders = &report.senders;
    for (title, found, empty) in [
        ("Type of event", &senders.event_types, ""),
        ("Key", &senders.keys, ""),
        ("SDK", &senders.sdks, "No event's context names its SDK."),
    ] {
        page.raw("<div class=\"card\"><h3>").text(title).raw("</h3>");
        if found.is_empty() {
            page.raw("<p class=\"dim\">").text(empty).raw("</p>");
        }
        let most = found.iter().map(|sender| sender.changed.events).max().unwrap_or_default();
        for Sender { name, changed } in found.iter().take(ROWS) {
            page.raw("<div class=\"sender\"><p>")
                .foreign(sender_name(name.as_deref()))
                .raw("</p><p class=\"number\">")
                .text(grouped(changed.events))
                .raw("</p>");
            charts::ways(page, changed.ways, most);
            page.raw("</div>");
        }
        page.raw("</div>");
    }
    page.raw("</div></section>");
}

/// How a sender is called.
#[must_use]
pub fn sender_name(name: Option<&str>) -> &str {
    match name {
        None => "all others",
        Some("") => "unknown",
        Some("none") => "no proof",
        Some("jwt") => "a token that no key verified",
        Some("hmac") => "a hash that no secret verified",
        Some(name) => name,
    }
}

fn more(page: &mut Markup, found: usize) {
    if found > ROWS {
        page.raw("<p class=\"dim\">")
            .text(format_args!("{} more are in the JSON (--json).", grouped((found - ROWS) as u64)))
            .raw("</p>");
    }
}
