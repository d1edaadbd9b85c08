// One verdict in full: what it says, why, what the sender should do, and the commands that judge the event again.

import { h } from "../dom.js";
import { shown } from "../format.js";
import { badge, foreign, inline, moment, organizationLink, section, table } from "../parts.js";

const COPIED_MS = 2000;

export default {
  title: ({ parts }) => `Verdict of ${shown(parts.join("/"))}`,
  // A verdict doesn't change.
  still: true,
  async load({ parts }, get) {
    const data = await get(`/api/v1/verdicts/${parts.map(encodeURIComponent).join("/")}`);
    return { ...data, verdict: JSON.parse(data.text, asWritten) };
  },
  render: (data) => {
    const { verdict, source, text } = data;
    return [
      h("h1", {}, badge(verdict.verdict), " ", foreign(verdict.user.email ?? verdict.user.userId ?? verdict.user.anonymousId ?? "nobody")),
      h("p", { class: "lead" }, moment(data.at), ", event ", h("code", {}, foreign(`${source.topic}/${source.partition}/${source.offset}`))),
      why(data),
      section("facts", "The event", facts(data)),
      attributes(data),
      data.commands && section("commands", "Judge it again", h("p", {}, "With kcat and the deployment's configuration at hand:"),
        command("Every step", data.commands.explain), command("The verdict alone", data.commands.replay)),
      section("json", "As it stands in the topic", h("pre", { tabindex: "0" }, shown2(JSON.rawJSON ? JSON.stringify(verdict, null, 2) : text))),
    ];
  },
  after(root) {
    for (const button of root.querySelectorAll("[data-copy]")) {
      button.onclick = () => copy(button);
    }
  },
};

/** A number as it is written, where the browser tells how: a script would make …992 of 9007199254740993, and 1 of 1.0. */
const asWritten = (_, value, told) => (typeof value === "number" && JSON.rawJSON ? JSON.rawJSON(told.source) : value);

// Line ends of our own stay.
const shown2 = (text) => text.split("\n").map(shown).join("\n");

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Where the browser refuses, the keyboard copies what is selected.
    return getSelection().selectAllChildren(button.previousElementSibling);
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, COPIED_MS);
}

function why({ verdict: { detail }, reason, hint, wouldReject, shortened }) {
  const explained = (heading, { code, meaning, advice }) => h("div", { class: "why" },
    h("p", { class: "code" }, heading, foreign(code)),
    meaning && h("p", {}, inline(meaning)),
    advice && h("p", {}, h("strong", {}, "What to do: "), inline(advice)));
  return [
    reason && explained("", reason),
    wouldReject && explained("Under enforcement it would be rejected: ", wouldReject),
    detail && h("p", { class: "hint" }, h("strong", {}, "Detail: "), details(detail)),
    hint && h("p", { class: "hint" }, h("strong", {}, "Likely: "), inline(hint)),
    shortened && h("p", { class: "hint" }, "It is too long to be kept whole: values are left out here, and its lists may be cut. The topic has all of it."),
  ];
}

/** The facts behind a reason: `field exp, seconds 95`. */
function details(detail) {
  const said = (value) => foreign(typeof value === "string" ? value : JSON.stringify(value));
  return Object.entries(detail).map(([name, value], at) => [at ? ", " : "", foreign(name), " ", said(value)]);
}

function facts({ verdict, record, replay }) {
  const { event, user, verification } = verdict;
  const text = (value) => (value === null || value === undefined ? "–" : foreign(value));
  const all = [
    ["Organization", organizationLink(verdict.organization)],
    ["Type", text(event.type)],
    ["Event time", moment(Date.parse(event.time))],
    ["Event id", text(event.id)],
    ["User id", text(user.userId)],
    ["E-mail", text(user.email)],
    ["Visitor", text(user.anonymousId)],
    ["Proof", text([verification.method, verification.status].filter(Boolean).join(", "))],
    ["Key", text(verification.keyId)],
    ["Settings", `version ${JSON.stringify(verdict.settingsVersion)}`],
    ...(replay === null ? [] : [["Replay", foreign(replay)]]),
    ["Verdict at", h("code", {}, foreign(`${record.topic}/${record.partition}/${record.offset}`))],
  ];
  return h("dl", { class: "facts" }, all.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** What stands for a company without a usable id: its place among all that were sent, which a verdict counts from 0. */
const entry = (position) => (position === null ? null : `entry ${position + 1} of the list`);

function attributes({ verdict, attributes: refused }) {
  const proof = ({ verified }) => (verified ? "signed" : "unsigned");
  const set = ({ attributes: own }, company) => Object.entries(own ?? {}).map(([name, one]) =>
    [name, company, "set", h("code", {}, foreign(JSON.stringify(one.value))), proof(one)]);
  const unset = ({ unset: own }, company) => (own ?? []).map((one) => [one.attribute, company, "unset", "", proof(one)]);
  const companies = (verdict.companies ?? []).flatMap((company) => [
    ["companies", company.id, "member", "", proof(company)], ...set(company, company.id), ...unset(company, company.id)]);
  const not = refused.map(({ attribute, company, position, outcome, reason, hint }) => [attribute, company ?? entry(position), outcome,
    [h("span", { class: "tag" }, foreign(reason.code)), " ", reason.meaning && inline(reason.meaning), " ",
      reason.advice && inline(reason.advice), hint && h("p", { class: "hint" }, inline(hint))], ""]);
  const rows = [...not, ...set(verdict, null), ...companies, ...unset(verdict, null)].map(([name, company, outcome, what, proof], at) => ({
    key: `${at}`,
    cells: [foreign(name), company === null ? "–" : foreign(company), badge(outcome), what, proof || "–"],
  }));
  if (!rows.length) return null;
  return section("attributes", "Attributes", table("What became of each attribute",
    [{ name: "Attribute" }, { name: "Company" }, { name: "Outcome" }, { name: "Value or reason", kind: "wide" }, { name: "Proof" }], rows));
}

function command(name, text) {
  return h("div", { class: "command" }, h("p", {}, name), h("pre", { tabindex: "0" }, shown(text)),
    navigator.clipboard && h("button", { type: "button", "data-copy": text, "aria-description": name }, "Copy"));
}
