//! A comparison as one HTML file: nothing is fetched, nothing runs, and its policy says so. It is read on a telephone, on a wide
//! screen, in the dark and in print.

mod charts;
mod markup;
mod tables;

pub use tables::sender_name;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::report::Report;
use crate::{
    count::words::{grouped, of_users, times},
    domain::EventTime,
};
use markup::Markup;

/// The one stylesheet.
const STYLE: &str = include_str!("page.css");

/// The page.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut page = Markup::default();
    head(&mut page);
    page.raw("<header><p class=\"brand\">attrsync</p><h1>What changes from ").foreign(&report.before.settings);
    page.raw(" to ")
        .foreign(&report.after.settings)
        .raw("</h1><p class=\"lead\">")
        .text(summary(report))
        .raw("</p></header><main>");
    figures(&mut page, report);
    flows(&mut page, report);
    timeline(&mut page, report);
    tables::kinds(&mut page, report);
    tables::organizations(&mut page, report);
    tables::senders(&mut page, report);
    foot(&mut page, report);
    page.finish()
}

fn head(page: &mut Markup) {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    page.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-");
    page.text(hash).raw("'\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.raw("<meta name=\"referrer\" content=\"no-referrer\"><meta name=\"color-scheme\" content=\"light dark\">");
    page.raw("<title>What changes – attrsync</title><style>").raw(STYLE).raw("</style></head><body>");
}

/// The whole in a sentence or two; the table in a terminal begins with it, too.
#[must_use]
pub fn summary(report: &Report) -> String {
    let gone = match report.gone {
        0 => String::new(),
        gone => format!(" {} no longer kept.", times(gone, "older one is", "older ones are")),
    };
    judged_and_changed(report) + &gone
}

fn judged_and_changed(report: &Report) -> String {
    let judged = times(report.records, "event was", "events were");
    let changed = report.changed.events;
    if changed == 0 {
        return format!("{judged} judged by each settings, and every one keeps its verdict.");
    }
    let (change, part) = (times(changed, "changes", "change"), percent(changed, report.records));
    let users = match report.users.number {
        0 => ", none of them names a user".to_owned(),
        _ => of_users(Some(report.users)),
    };
    format!("{judged} judged by each settings; {change} ({part}){users}.")
}

fn figures(page: &mut Markup, report: &Report) {
    let ways = report.changed.ways;
    page.raw("<dl class=\"figures\">");
    for (name, class, number, note) in [
        ("Stricter", "stricter", ways.stricter, "accepted to partial or rejected, partial to rejected"),
        ("Milder", "milder", ways.milder, "the other way"),
        ("Within", "within", ways.within, "the same verdict says something else"),
    ] {
        page.raw("<div class=\"figure ").text(class).raw("\"><dt>").text(name).raw("</dt><dd>").text(grouped(number));
        page.raw(" <span class=\"note\">")
            .text(percent(number, report.records))
            .raw("</span></dd><dd class=\"dim\">")
            .text(note)
            .raw("</dd></div>");
    }
    page.raw("<div class=\"figure\"><dt>Users concerned</dt><dd>").text(report.users).raw("</dd><dd class=\"dim\">");
    if report.without_user > 0 {
        page.text(format_args!("and {} events without a user", grouped(report.without_user)));
    } else {
        page.raw("different ones, by id, else e-mail, else visitor");
    }
    page.raw("</dd></div></dl>");
}

fn flows(page: &mut Markup, report: &Report) {
    page.raw("<section><h2>Where verdicts go</h2><div class=\"flow\"><div><h3>")
        .foreign(&report.before.settings)
        .raw("</h3>");
    charts::totals(page, report, false);
    page.raw("</div><div><h3>").foreign(&report.after.settings).raw("</h3>");
    charts::totals(page, report, true);
    page.raw("</div>");
    charts::flows(page, report);
    page.raw("</div></section>");
}

fn timeline(page: &mut Markup, report: &Report) {
    let spans = &report.timeline.spans;
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return };
    if report.changed.events == 0 {
        return;
    }
    page.raw("<section><h2>When the events that change happened</h2><div class=\"card\">");
    charts::timeline(page, spans, report.timeline.width_ms);
    page.raw("<p class=\"axis\"><time>")
        .text(minute(first.from))
        .raw("</time><time>")
        .text(minute(last.from))
        .raw("</time></p></div>");
    page.raw("<p class=\"legend\"><span class=\"stricter\">stricter</span> <span class=\"milder\">milder</span> <span class=\"within\">within</span></p></section>");
}

fn foot(page: &mut Markup, report: &Report) {
    page.raw("</main><footer><p>Settings version ")
        .text(report.before.version)
        .raw(" against ")
        .text(report.after.version);
    page.raw(". Users are counted exactly up to 16,384, and of one organization or kind of change up to 4,096; beyond that the number is an estimate within a few percent, and says so. No user and no value of an event is in this file.</p></footer></body></html>\n");
}

/// A time, to the minute.
fn minute(time: EventTime) -> String {
    let text = time.text();
    format!("{} UTC", text.as_str().get(..16).unwrap_or_default().replace('T', " "))
}

/// A part of a whole, in percent; what is there is never told as nothing.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    match charts::share(part, whole) * 100.0 {
        0.0 => "0%".to_owned(),
        tiny if tiny < 0.1 => "less than 0.1%".to_owned(),
        nearly if nearly > 99.9 && part < whole => "more than 99.9%".to_owned(),
        100.0 => "100%".to_owned(),
        share => format!("{share:.1}%"),
    }
}
