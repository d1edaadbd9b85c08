// One organization: what is rejected of it and why, its attributes, the keys that still sign, what enforcement does or would do, and
// the names that nobody configured.

import { show } from "../charts.js";
import { h } from "../dom.js";
import { count, shown } from "../format.js";
import { badge, chart, foreign, inline, outcomeFigures, reasonText, section, sparkline, table, time, verdictsLink } from "../parts.js";

export default {
  title: ({ parts }) => shown(parts[0]),
  load: ({ parts }, get) => get(`/api/v1/organizations/${encodeURIComponent(parts[0])}`),
  render: (data) => {
    const { organization, clock: { now } } = data;
    return [
      h("h1", {}, foreign(organization)),
      h("p", { class: "lead" }, verdictsLink({ organization }, "Its newest verdicts")),
      h("dl", { class: "figures three" }, outcomeFigures(data.outcomes)),
      section("over-time", "The last hour", h("div", { class: "chart-head" },
        h("p", { class: "legend" }, ["rejected", "partial", "accepted"].map((name) => [badge(name), " "]))),
        chart()),
      section("advice", "Advice", advice(data)),
      section("reasons", "What is being rejected", given(data.reasons, organization, now, "Nothing was rejected.")),
      section("enforcement", "Enforcement", enforcement(data, now)),
      section("keys", "Keys that sign", keys(data, now)),
      section("attributes", "Attributes of users", attributes(data.attributes, organization, now)),
      section("company-attributes", "Attributes of companies", attributes(data.companyAttributes, organization, now)),
      section("unconfigured", "Names that nobody configured", unconfigured(data.unconfigured, organization, now)),
    ];
  },
  after: (root, { clock, outcomes: { accepted, partial, rejected } }) =>
    show(root.querySelector("[data-keep=chart]"),
      { from: clock.hourFrom, step: 60_000, accepted: accepted.hour, partial: partial.hour, rejected: rejected.hour }),
};

const ADVICE = {
  lock: "Lock", unlock: "Sign or unlock", configure: "Configure", retire: "Retire the key", enforce: "Enforce", migrate: "From hashes to tokens", expire: "Let tokens expire",
};

/** What follows from what was seen; each with what to look at first and the command that carries it out. */
function advice({ advice: items }) {
  const rows = items.map(({ advice: rule, about, of, ready, says, check, command }) => ({ key: `${rule}/${of}/${about}`, cells: [
    [h("p", { class: "code" }, ADVICE[rule] ?? foreign(rule)), of !== "organization" && h("p", {}, foreign(about), of === "company" && " of a company")],
    ready === "now" ? h("span", { class: "tag ready" }, "now") : h("span", { class: "tag" }, "look first"),
    foreign(says),
    [check && commandLine("Look at it", check), command && commandLine(check ? "Then" : "Run", command)],
  ] }));
  return [
    table("Advice", [{ name: "What" }, { name: "When" }, { name: "Why", kind: "wide" }, { name: "How", kind: "wide" }], rows,
      "Nothing, as far as these verdicts tell."),
    h("p", { class: "dim" }, "From verdicts alone. ", h("code", {}, "attrsync advise"), " reads the events and knows the settings: it counts users, types of values and tokens without an expiry, too."),
  ];
}

const commandLine = (name, text) => h("p", { class: "how" }, h("span", { class: "dim" }, name, ": "), h("code", {}, shown(text)));

function given(reasons, organization, now, empty) {
  const rows = reasons.map(({ reason, verdicts }) => ({
    key: reason.code,
    cells: [reasonText(reason, { organization }), count(verdicts.lastHour), sparkline(verdicts.hour, `${count(verdicts.lastHour)} in the last hour`),
      time(verdicts.first, now), time(verdicts.last, now), reason.advice ? inline(reason.advice) : "–"],
  }));
  return table("Reasons", [{ name: "Why", kind: "wide" }, { name: "Last hour", kind: "number" }, { name: "By minute", kind: "spark" },
    { name: "Since", kind: "when" }, { name: "Last", kind: "when" }, { name: "What they should do", kind: "wide" }], rows, empty);
}

function enforcement({ enforcement: mode, wouldReject, proofs, organization }, now) {
  const words = {
    enforced: "Identities without proof are rejected: enforcement is on.",
    observe: "Enforcement is off: it observes, and marks what it would reject.",
  };
  return [
    h("p", {}, words[mode] ?? "No event has shown yet what happens to an identity without proof."),
    mode === "observe" && given(wouldReject, organization, now, "Nothing would be rejected."),
    table("How identities were proven", [{ name: "Proof" }, { name: "Ended" }, { name: "Last hour", kind: "number" }, { name: "In all", kind: "number" }, { name: "Last", kind: "when" }],
      proofs.map(({ method, status, verdicts }) => ({ key: `${method}/${status}`,
        cells: [foreign(method), foreign(status), count(verdicts.lastHour), count(verdicts.total), time(verdicts.last, now)] })), "No proof was looked at."),
  ];
}

function keys({ keys: found }, now) {
  const rows = found.map(({ method, id, verdicts }) => ({ key: `${method}/${id}`,
    cells: [foreign(id), method === "hmac" ? "identity secret (userHash)" : "key of tokens", count(verdicts.lastHour), count(verdicts.total), time(verdicts.last, now)] }));
  return table("Keys that verified something", [{ name: "Key" }, { name: "Kind" }, { name: "Last hour", kind: "number" }, { name: "In all", kind: "number" },
    { name: "Last", kind: "when" }], rows, "No key verified anything.");
}

function attributes({ attributes: found, others }, organization, now) {
  const rows = found.map((row) => ({ key: row.attribute, cells: [
    verdictsLink({ organization, attribute: row.attribute }, foreign(row.attribute)),
    count(row.signed), count(row.unsigned), count(row.unset), count(row.rejected), count(row.dropped), lock(row), time(row.last, now)] }));
  return [
    table("Attributes and what became of them", [{ name: "Attribute" }, { name: "Signed", kind: "number" }, { name: "Unsigned", kind: "number" },
      { name: "Unset", kind: "number" }, { name: "Rejected", kind: "number" }, { name: "Dropped", kind: "number" }, { name: "A lock", kind: "wide" },
      { name: "Last", kind: "when" }], rows, "None came."),
    others > 0 && h("p", { class: "dim" }, `${count(others)} more of attributes that are not told apart.`),
  ];
}

/** What a lock, which accepts signed values alone, does or would have done; whether it is on, the last unsigned value tells. */
function lock({ signed, unsigned, locked, lock: last }) {
  if (last === "on") return `is on: it refused ${count(locked)}${unsigned > 0 ? `, and let ${count(unsigned)} pass before` : ""}`;
  if (last === "off" && locked > 0) return `is off: it refused ${count(locked)} before${unsigned > 0 ? `, and would have refused ${count(unsigned)} more` : ""}`;
  if (unsigned > 0) return `would have refused ${count(unsigned)}`;
  if (locked > 0) return `refused ${count(locked)}`;
  if (signed > 0) return "would have refused nothing, or is on: every value was signed";
  return "–";
}

function unconfigured({ names, others }, organization, now) {
  const rows = names.map(({ name, events }) => ({ key: name, cells: [verdictsLink({ organization, attribute: name }, foreign(name)),
    count(events.lastHour), sparkline(events.hour, `${count(events.lastHour)} in the last hour`), count(events.total), time(events.first, now), time(events.last, now)] }));
  return [
    table("Names that arrive and are dropped", [{ name: "Name" }, { name: "Last hour", kind: "number" }, { name: "By minute", kind: "spark" },
      { name: "In all", kind: "number" }, { name: "Since", kind: "when" }, { name: "Last", kind: "when" }], rows, "Every name that came is configured."),
    others > 0 && h("p", { class: "dim" }, `${count(others)} more under other names.`),
  ];
}
