// Is it healthy, what is being rejected, for whom, why, since when, and what should they do?

import { show } from "../charts.js";
import { h } from "../dom.js";
import { count, exactTime, rate } from "../format.js";
import { badge, chart, figure, foreign, inline, nothingRejected, organizationLink, outcomeFigures, reasonText, section, sparkline, table, time } from "../parts.js";

const LEVELS = {
  ok: "All is well",
  reading: "Reading the history",
  attention: "Worth a look",
  trouble: "Trouble",
};
const SPANS = [["minute", "Minute"], ["hour", "Hour"], ["day", "Day"]];
let span = "minute";

export default {
  title: () => "Overview",
  load: (_, get) => get("/api/v1/overview"),
  render: (data) => [
    h("h1", { class: "unseen" }, "Overview"),
    status(data),
    h("dl", { class: "figures" },
      figure("Verdicts a second", rate(data.rates.accepted + data.rates.partial + data.rates.rejected), "last 10 s"),
      outcomeFigures(data.outcomes),
      figure("Waiting", data.lag ? count(data.lag.records) : "–", data.lag ? "yet to be judged" : "not known")),
    section("over-time", "Verdicts over time", spans(), chart()),
    section("problems", "What is being rejected", problems(data)),
  ],
  after: (root, data, { again }) => {
    show(root.querySelector("[data-keep=chart]"), spanOf(data));
    for (const button of root.querySelectorAll("[data-span]")) {
      button.onclick = () => {
        span = button.dataset.span;
        again();
      };
    }
  },
};

function status({ status: { level, findings }, reading, outcomes, problems: [most] }) {
  // Without any verdict nothing is known to be well.
  if (level === "ok" && reading.records === 0) return begin(reading);
  const { partial, rejected } = outcomes;
  const refused = partial.lastHour + rejected.lastHour;
  return h("div", { class: `status ${level}` },
    h("p", { class: "level", role: "status", "aria-live": "polite" }, LEVELS[level] ?? "Unknown"),
    findings.length > 0 && h("ul", {}, findings.map((finding) => h("li", {}, inline(finding)))),
    refused > 0 && h("p", { class: "note" }, `In the last hour ${count(rejected.lastHour)} events were rejected and ${count(partial.lastHour)} in part`,
      most?.verdicts.lastHour > 0 && [", most often ", foreign(most.reason.code), most.organization !== null && [" at ", foreign(most.organization)]], "."));
}

function begin({ from }) {
  return h("div", { class: "status reading" },
    h("p", { class: "level", role: "status", "aria-live": "polite" }, "No verdicts yet"),
    h("p", { class: "note" }, `Nothing was written to the verdict topics since ${exactTime(from)}. Look whether a worker runs (`, h("code", {}, "attrsync run"),
      ") and events come in; on a test cluster ", h("code", {}, "attrsync traffic"), " makes some. What comes shows here by itself."));
}

function spans() {
  return h("div", { class: "chart-head" },
    h("div", { class: "choice", role: "group", "aria-label": "Time shown" },
      SPANS.map(([name, text]) => h("button", { type: "button", "data-span": name, "aria-pressed": String(name === span) }, text))),
    h("p", { class: "legend" }, ["rejected", "partial", "accepted"].map((name) => [badge(name), " "])));
}

function spanOf({ clock, minute, outcomes }) {
  if (span === "minute") return { from: clock.minuteFrom, step: 1_000, ...minute };
  const [from, step] = span === "hour" ? [clock.hourFrom, 60_000] : [clock.dayFrom, 600_000];
  return { from, step, accepted: outcomes.accepted[span], partial: outcomes.partial[span], rejected: outcomes.rejected[span] };
}

function problems({ problems: found, clock, reading }) {
  const columns = [
    { name: "Why" }, { name: "For whom" }, { name: "Last hour", kind: "number" }, { name: "By minute", kind: "spark" },
    { name: "Since", kind: "when" }, { name: "Last", kind: "when" }, { name: "What they should do", kind: "wide" },
  ];
  const rows = found.map(({ organization, reason, verdicts }) => ({
    key: `${organization}/${reason.code}`,
    cells: [
      reasonText(reason, organization === null ? {} : { organization }),
      organizationLink(organization),
      count(verdicts.lastHour),
      sparkline(verdicts.hour, `${count(verdicts.lastHour)} in the last hour`),
      time(verdicts.first, clock.now),
      time(verdicts.last, clock.now),
      reason.advice ? inline(reason.advice) : "–",
    ],
  }));
  return table("Rejections, the most frequent of the last hour first", columns, rows, nothingRejected(reading));
}
