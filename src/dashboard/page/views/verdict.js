// One verdict in full: what it says, why, what the sender should do, and the commands that judge the event again.

import { h } from "../dom.js";
import { exactTime, shown } from "../format.js";
import { badge, foreign, inline, organizationLink, section, table, time } from "../parts.js";

export default {
  title: ({ parts }) => `Verdict of ${parts.join("/")}`,
  // A verdict doesn't change.
  still: true,
  load: ({ parts }, get) => get(`/api/v1/verdicts/${parts.map(encodeURIComponent).join("/")}`),
  render: (data) => {
    const { verdict, source } = data;
    return [
      h("h1", {}, badge(verdict.verdict), " ", foreign(verdict.user.email ?? verdict.user.userId ?? verdict.user.anonymousId ?? "nobody")),
      h("p", { class: "lead" }, time(data.at, Date.now()), ", event ", h("code", {}, foreign(`${source.topic}/${source.partition}/${source.offset}`))),
      why(data),
      section("facts", "The event", facts(data)),
      attributes(data),
      data.commands && section("commands", "Judge it again", h("p", {}, "With kcat and the deployment's configuration at hand:"),
        command("Every step", data.commands.explain), command("The verdict alone", data.commands.replay)),
      section("json", "As it stands in the topic", h("pre", { tabindex: "0" }, shown2(JSON.stringify(verdict, null, 2)))),
    ];
  },
  after(root) {
    for (const button of root.querySelectorAll("[data-copy]")) {
      button.onclick = async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.textContent = "Copied";
      };
    }
  },
};

// Line ends of our own stay.
const shown2 = (text) => text.split("\n").map(shown).join("\n");

function why({ reason, hint, wouldReject, shortened }) {
  const explained = (heading, { code, meaning, advice }) => h("div", { class: "why" },
    h("p", { class: "code" }, heading, foreign(code)),
    meaning && h("p", {}, inline(meaning)),
    advice && h("p", {}, h("strong", {}, "What to do: "), inline(advice)));
  return [
    reason && explained("", reason),
    wouldReject && explained("Under enforcement it would be rejected: ", wouldReject),
    hint && h("p", { class: "hint" }, h("strong", {}, "Likely: "), inline(hint)),
    shortened && h("p", { class: "hint" }, "It is too long to be kept whole; its lists stand in the topic alone."),
  ];
}

function facts({ verdict, record }) {
  const { event, user, verification } = verdict;
  const text = (value) => (value === null || value === undefined ? "–" : foreign(value));
  const all = [
    ["Organization", organizationLink(verdict.organization)],
    ["Type", text(event.type)],
    ["Event time", h("time", { datetime: event.time }, exactTime(Date.parse(event.time)))],
    ["Event id", text(event.id)],
    ["User id", text(user.userId)],
    ["E-mail", text(user.email)],
    ["Visitor", text(user.anonymousId)],
    ["Proof", text([verification.method, verification.status].filter(Boolean).join(", "))],
    ["Key", text(verification.keyId)],
    ["Settings", `version ${verdict.settingsVersion}`],
    ["Verdict at", h("code", {}, foreign(`${record.topic}/${record.partition}/${record.offset}`))],
  ];
  return h("dl", { class: "facts" }, all.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function attributes({ verdict, attributes: refused }) {
  const set = Object.entries(verdict.attributes ?? {}).map(([name, { value, verified }]) =>
    [name, null, "set", h("code", {}, foreign(JSON.stringify(value))), verified ? "signed" : "unsigned"]);
  const companies = (verdict.companies ?? []).flatMap(({ id, attributes: own, verified }) => [
    ["companies", id, "member", "", verified ? "signed" : "unsigned"],
    ...Object.entries(own).map(([name, { value, verified: signed }]) =>
      [name, id, "set", h("code", {}, foreign(JSON.stringify(value))), signed ? "signed" : "unsigned"])]);
  const unset = (verdict.unset ?? []).map(({ attribute, verified }) => [attribute, null, "unset", "", verified ? "signed" : "unsigned"]);
  const not = refused.map(({ attribute, company, outcome, reason, hint }) => [attribute, company, outcome,
    [h("span", { class: "tag" }, foreign(reason.code)), " ", reason.meaning && inline(reason.meaning), " ",
      reason.advice && inline(reason.advice), hint && h("p", { class: "hint" }, inline(hint))], ""]);
  const rows = [...not, ...set, ...companies, ...unset].map(([name, company, outcome, what, proof], at) => ({
    key: `${at}`,
    cells: [foreign(name), company === null ? "–" : foreign(company), badge(outcome), what, proof || "–"],
  }));
  if (!rows.length) return null;
  return section("attributes", "Attributes", table("What became of each attribute",
    [{ name: "Attribute" }, { name: "Company" }, { name: "Outcome" }, { name: "Value or reason", kind: "wide" }, { name: "Proof" }], rows));
}

function command(name, text) {
  return h("div", { class: "command" }, h("p", {}, name), h("pre", { tabindex: "0" }, shown(text)),
    navigator.clipboard && h("button", { type: "button", "data-copy": text }, "Copy"));
}
