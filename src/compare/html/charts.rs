//! Charts as SVG without a letter in it: they stretch to any width, and the words stand beside them. Each says in words what it shows.

use super::{markup::Markup, percent};
use crate::{
    compare::{
        Ways,
        report::{Flow, Report, Span},
    },
    count::words::grouped,
    domain::verdict::Outcome,
};

/// The size of the chart of flows, in units of its own.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 180.0;
/// Width of the bars at its sides, the room between them, and the least that is seen of a flow.
const SIDE: f64 = 10.0;
const GAP: f64 = 8.0;
const LEAST: f64 = 2.0;

/// Where each verdict goes: bands from the left, as it was, to the right, as it is.
pub(super) fn flows(page: &mut Markup, report: &Report) {
    page.raw("<svg class=\"flows\" viewBox=\"0 0 400 200\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
    page.text(moves(report)).raw("\">");
    let mut left = bars(page, report, (0.0, |flow| flow.from));
    let mut right = bars(page, report, (WIDTH - SIDE, |flow| flow.to));
    for flow in &report.verdicts {
        let height = tall(report, flow);
        if let (Some(from), Some(to)) = (left.get_mut(flow.from as usize), right.get_mut(flow.to as usize)) {
            band(page, flow, (*from, *to, height));
            (*from, *to) = (*from + height, *to + height);
        }
    }
    page.raw("</svg>");
}

/// Which verdicts go to another outcome, in words.
fn moves(report: &Report) -> String {
    let moves = report.verdicts.iter().filter(|flow| flow.from != flow.to);
    let told =
        moves.map(|flow| format!("{} go from {} to {}.", grouped(flow.events), flow.from.name(), flow.to.name()));
    let told = told.collect::<Vec<_>>().join(" ");
    if told.is_empty() { "No verdict goes to another outcome.".to_owned() } else { told }
}

/// How tall a flow is; none is too small to be seen.
fn tall(report: &Report, flow: &Flow) -> f64 {
    (share(flow.events, report.records) * HEIGHT).max(LEAST)
}

/// The bars of one side, one below the other, and where each begins.
fn bars(page: &mut Markup, report: &Report, (x, side): (f64, fn(&Flow) -> Outcome)) -> [f64; 3] {
    let mut above = 0.0;
    Outcome::ALL.map(|outcome| {
        let flows = report.verdicts.iter().filter(|flow| side(flow) == outcome);
        let (begin, height) = (above, flows.map(|flow| tall(report, flow)).sum::<f64>());
        if height > 0.0 {
            bar(page, outcome, (x, begin, height));
            above += height + GAP;
        }
        begin
    })
}

fn bar(page: &mut Markup, outcome: Outcome, (x, y, height): (f64, f64, f64)) {
    page.raw("<rect class=\"").text(outcome.name()).raw("\" x=\"").unit(x).raw("\" y=\"").unit(y);
    page.raw("\" width=\"").unit(SIDE).raw("\" height=\"").unit(height).raw("\"/>");
}

/// A band of one height from its place at the left to its place at the right.
fn band(page: &mut Markup, flow: &Flow, (from, to, height): (f64, f64, f64)) {
    let (start, end, middle) = (SIDE, WIDTH - SIDE, WIDTH / 2.0);
    page.raw("<path class=\"").text(flow.to.name()).raw(if flow.from == flow.to { " still" } else { " moves" });
    page.raw("\" d=\"M").unit(start).raw(" ").unit(from);
    curve(page, (middle, from), (end, to));
    page.raw("V").unit(to + height);
    curve(page, (middle, to + height), (start, from + height));
    page.raw("Z\"><title>").text(format_args!("{} → {}: {}", flow.from.name(), flow.to.name(), grouped(flow.events)));
    page.raw("</title></path>");
}

/// A curve that leaves and arrives level.
fn curve(page: &mut Markup, (middle, from): (f64, f64), (x, y): (f64, f64)) {
    page.raw("C").unit(middle).raw(" ").unit(from).raw(" ").unit(middle).raw(" ").unit(y);
    page.raw(" ").unit(x).raw(" ").unit(y);
}

/// A bar of what changes, by the way that it goes; as long as its share of `most`.
pub(super) fn ways(page: &mut Markup, ways: Ways, most: u64) {
    page.raw("<svg class=\"ways\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"")
        .text(words(ways));
    page.raw("\">");
    let mut x = 0.0;
    for (class, number) in classes(ways) {
        let width = share(number, most) * 100.0;
        if number > 0 {
            page.raw("<rect class=\"")
                .text(class)
                .raw("\" x=\"")
                .unit(x)
                .raw("\" y=\"0\" width=\"")
                .unit(width.max(0.6));
            page.raw("\" height=\"8\"/>");
        }
        x += width;
    }
    page.raw("</svg>");
}

/// How many go each way, by the class of its colour.
fn classes(Ways { stricter, milder, within }: Ways) -> [(&'static str, u64); 3] {
    [("stricter", stricter), ("milder", milder), ("within", within)]
}

/// What changes, in words.
pub(super) fn words(Ways { stricter, milder, within }: Ways) -> String {
    let each = [(stricter, "stricter"), (milder, "milder"), (within, "changed within")];
    let told = each.iter().filter(|(number, _)| *number > 0).map(|(number, way)| format!("{} {way}", grouped(*number)));
    told.collect::<Vec<_>>().join(", ")
}

/// What changes over time; spans without events take their room, unless the times are absurdly far apart.
pub(super) fn timeline(page: &mut Markup, spans: &[Span], width_ms: i64) {
    let most = spans.iter().map(|span| span.events.ways.all()).max().unwrap_or_default();
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return };
    let after = |span: &Span| ((span.from.millis() - first.from.millis()) / width_ms.max(1)).unsigned_abs();
    let apart = after(last) < 480;
    let slots = as_unit(if apart { after(last) + 1 } else { spans.len() as u64 });
    page.raw("<svg class=\"timeline\" viewBox=\"0 0 960 120\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
    page.text(format_args!("Changes by event time, at most {} in one span.", grouped(most))).raw("\">");
    for (at, span) in spans.iter().enumerate() {
        let slot = as_unit(if apart { after(span) } else { at as u64 });
        column(page, span, (slot / slots * 960.0, 960.0 / slots, most));
    }
    page.raw("</svg>");
}

/// What changes in one span, one way above the other.
fn column(page: &mut Markup, span: &Span, (x, wide, most): (f64, f64, u64)) {
    let mut y = 120.0;
    for (class, number) in classes(span.events.ways).into_iter().filter(|(_, number)| *number > 0) {
        let height = share(number, most) * 116.0;
        y -= height;
        page.raw("<rect class=\"").text(class).raw("\" x=\"").unit(x).raw("\" y=\"").unit(y).raw("\" width=\"");
        page.unit((wide - 1.0).max(wide * 0.7)).raw("\" height=\"").unit(height.max(1.0)).raw("\"/>");
    }
}

/// A part of a whole, from 0 to 1.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (as_unit(part) / as_unit(whole)).min(1.0) }
}

#[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
fn as_unit(number: u64) -> f64 {
    number as f64
}

/// How many before and after of each verdict, in the order of the chart.
pub(super) fn totals(page: &mut Markup, report: &Report, after: bool) {
    page.raw("<ul class=\"totals\">");
    for outcome in Outcome::ALL {
        let (was, is) = report.totals(outcome);
        let number = if after { is } else { was };
        page.raw("<li class=\"")
            .text(outcome.name())
            .raw("\"><b>")
            .text(grouped(number))
            .raw("</b> ")
            .text(outcome.name());
        page.raw(" <span class=\"dim\">").text(percent(number, report.records)).raw("</span></li>");
    }
    page.raw("</ul>");
}
