// What several views are made of.

import { h, svg } from "./dom.js";
import { ago, count, exactTime, percent, shown } from "./format.js";

/** A text of an event: as text, apart from what surrounds it in its direction of writing. */
export const foreign = (text) => h("bdi", {}, shown(text));

/** A time, relative, with the exact one beside it. */
export function time(millis, now) {
  if (millis === null || millis === undefined) return "–";
  return h("time", { datetime: new Date(millis).toISOString(), title: exactTime(millis) }, ago(millis, now));
}

/** A time that doesn't move: exact. */
export const moment = (millis) => (Number.isFinite(millis) ? h("time", { datetime: new Date(millis).toISOString() }, exactTime(millis)) : "–");

/** accepted, partial or rejected. The word says it; the colour only helps. */
export const badge = (verdict) => h("span", { class: `badge ${verdict}` }, shown(verdict));

/** An organization's name as a link; events may have none. */
export function organizationLink(slug) {
  if (slug === null) return h("span", { class: "dim" }, "unknown");
  return h("a", { href: `#/organization/${encodeURIComponent(slug)}` }, foreign(slug));
}

/** A link to the verdicts that a filter takes. */
export function verdictsLink(filter, ...content) {
  return h("a", { href: `#/verdicts?${new URLSearchParams(filter)}` }, ...content);
}

/** A code in words: what it means, what to do. */
export function reasonText(reason, filter) {
  return [
    h("p", { class: "code" }, verdictsLink({ ...filter, reason: reason.code }, foreign(reason.code))),
    reason.meaning && h("p", {}, inline(reason.meaning)),
  ];
}

/** `code` between backticks stands out. */
export function inline(text) {
  return text.split("`").map((part, at) => (at % 2 ? h("code", {}, shown(part)) : shown(part)));
}

/** A small line of counts. Its words are what a screen reader says. */
export function sparkline(counts, label) {
  const most = Math.max(1, ...counts);
  const [width, height] = [120, 28];
  const step = width / counts.length;
  const bars = counts
    .map((value, at) => [value, at])
    .filter(([value]) => value > 0)
    .map(([value, at]) => {
      const tall = Math.max(1.5, (value / most) * height);
      return `M${(at * step).toFixed(2)} ${height}v${-tall.toFixed(2)}h${Math.max(0.6, step - 0.5).toFixed(2)}v${tall.toFixed(2)}z`;
    });
  return svg("svg", { class: "sparkline", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, preserveAspectRatio: "none" },
    svg("path", { class: "ground", d: `M0 ${height - 0.5}h${width}` }),
    svg("path", { class: "bars", d: bars.join("") }));
}

/** A table that reads as cards where it is narrow: each cell knows its column. The roles are said, for as cards it looks like no table. */
export function table(caption, columns, rows, empty) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const head = columns.map(({ name, kind }) => h("th", { scope: "col", role: "columnheader", class: kind }, name));
  const body = rows.map(({ key, cells }) => h("tr", { "data-key": key, role: "row" },
    cells.map((cell, at) => {
      const { name, kind } = columns[at];
      const as = at ? { role: "cell" } : { role: "rowheader", scope: "row" };
      return h(at ? "td" : "th", { ...as, class: kind, "data-label": name }, h("div", {}, cell));
    })));
  return h("div", { class: "scroll" },
    h("table", { role: "table" }, h("caption", { class: "unseen" }, caption),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)), h("tbody", { role: "rowgroup" }, body)));
}

/** What stands where nothing was rejected; without any verdict that would say too much. */
export const nothingRejected = ({ records }) => (records > 0 ? "Nothing was rejected." : "No verdict was read yet.");

/** A figure with its name. */
export function figure(name, value, note, kind) {
  return h("div", { class: `figure ${kind ?? ""}` }, h("dt", {}, name), h("dd", {}, value, note && h("span", { class: "note" }, note)));
}

/** The three outcomes of the last hour as figures. */
export function outcomeFigures(outcomes) {
  const hour = ["accepted", "partial", "rejected"].map((name) => [name, outcomes[name].lastHour]);
  const all = hour.reduce((sum, [, value]) => sum + value, 0);
  return hour.map(([name, value]) => figure(name[0].toUpperCase() + name.slice(1), count(value), percent(value, all), name));
}

/**
 * The chart of verdicts over time, which charts.js draws, below the line that says what stands under its cursor. It is no image, for it takes
 * keys.
 */
export const chart = () => [
  h("p", { class: "readout", "data-keep": "readout", "aria-live": "polite" }),
  h("div", { class: "chart", "data-keep": "chart", role: "application", "aria-roledescription": "chart", "aria-keyshortcuts": "ArrowLeft ArrowRight", tabindex: "0" }),
];

/** A section with its heading. */
export function section(id, heading, ...content) {
  return h("section", { "aria-labelledby": id }, h("h2", { id }, heading), ...content);
}
