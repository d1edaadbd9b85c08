// Every reason that was given: how often, for whom, and what it means.

import { h } from "../dom.js";
import { count } from "../format.js";
import { inline, nothingRejected, organizationLink, reasonText, sparkline, table, time } from "../parts.js";

const STAGES = { decode: "reading the event", verify: "checking the proof", decide: "ruling on attributes" };

export default {
  title: () => "Rejections",
  load: (_, get) => get("/api/v1/reasons"),
  render: ({ reasons, clock, reading }) => [
    h("h1", {}, "Rejections by reason"),
    h("p", { class: "lead" }, "Of whole events, and of single attributes and companies. The most frequent of the last hour first."),
    table("Reasons", [
      { name: "Reason", kind: "wide" }, { name: "Last hour", kind: "number" }, { name: "By minute", kind: "spark" },
      { name: "Last day", kind: "number" }, { name: "By ten minutes", kind: "spark" }, { name: "Last", kind: "when" },
      { name: "For whom" }, { name: "What they should do", kind: "wide" },
    ], reasons.map((row) => ({ key: row.reason.code, cells: cells(row, clock.now) })), nothingRejected(reading)),
  ],
};

/** In the order of the list: first how often in the last hour, where it was at all. */
const often = ({ lastHour, total }) => [lastHour > 0 && `${count(lastHour)} in the last hour, `, `${count(total)} in all`];

function cells({ reason, verdicts, organizations }, now) {
  return [
    [reasonText(reason), STAGES[reason.stage] && h("p", { class: "note" }, `while ${STAGES[reason.stage]}`)],
    count(verdicts.lastHour),
    sparkline(verdicts.hour, `${count(verdicts.lastHour)} in the last hour`),
    count(verdicts.lastDay),
    sparkline(verdicts.day, `${count(verdicts.lastDay)} in the last day`),
    time(verdicts.last, now),
    h("ul", { class: "plain" }, organizations.map((one) => h("li", {}, organizationLink(one.organization), h("p", { class: "note" }, often(one))))),
    reason.advice ? inline(reason.advice) : "–",
  ];
}
