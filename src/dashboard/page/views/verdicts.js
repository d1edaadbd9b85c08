// The newest verdicts, as a filter takes them. The filter stands in the address, so that it can be passed on.

import { h } from "../dom.js";
import { count } from "../format.js";
import { badge, foreign, organizationLink, table, time } from "../parts.js";

const FIELDS = [
  ["organization", "Organization", "slug"],
  ["reason", "Reason", "code, as in locked"],
  ["attribute", "Attribute", "name"],
  ["user", "User", "id, e-mail or sha256:…"],
  ["event_type", "Event type", "identify"],
];
let paused = false;

export default {
  title: () => "Verdicts",
  async load({ query }, get) {
    // While it is paused nothing moves; the address alone says what is shown.
    const search = new URLSearchParams(query);
    const key = search.toString();
    if (paused && paused.key === key) return paused.data;
    const data = { ...(await get(`/api/v1/verdicts?${search}`)), now: Date.now() };
    if (paused) paused = { key, data };
    return data;
  },
  render: (data, { query }) => [
    h("h1", {}, "Verdicts"),
    h("div", { "data-keep": `filter ${query}` }),
    h("div", { class: "bar" },
      h("p", { class: "dim" }, `Looks through the newest ${count(data.kept)} verdicts. Rejected and partial ones are kept longest.`),
      h("button", { type: "button", "data-pause": true, "aria-pressed": String(Boolean(paused)) }, "Pause")),
    table("Verdicts, the newest first", [
      { name: "Verdict" }, { name: "When", kind: "when" }, { name: "Organization" }, { name: "User", kind: "wide" }, { name: "Type" },
      { name: "Reasons", kind: "wide" },
    ], data.verdicts.map((row) => ({ key: String(row.number), cells: cells(row, data.now) })), "No verdict like this is among the newest."),
    h("nav", { class: "pages", "aria-label": "Pages" },
      query.has("before") && h("a", { href: address(query, null) }, "Newest"),
      data.next !== null && h("a", { href: address(query, data.next) }, "Older")),
  ],
  after(root, data, { query, again }) {
    const place = root.querySelector("[data-keep^=filter]");
    if (!place.firstChild) place.append(form(query));
    root.querySelector("[data-pause]").onclick = () => {
      paused = paused ? false : { key: query.toString(), data };
      again();
    };
  },
};

function address(query, before) {
  const search = new URLSearchParams(query);
  search.delete("before");
  if (before !== null) search.set("before", before);
  return `#/verdicts?${search}`;
}

function cells({ verdict, at, organization, users, eventType, reasons, source }, now) {
  const place = [source.topic, source.partition, source.offset].map(encodeURIComponent).join("/");
  return [
    h("a", { href: `#/verdict/${place}`, "aria-label": `${verdict}, in full` }, badge(verdict)),
    time(at, now),
    organizationLink(organization),
    users.length ? foreign(users[0]) : "–",
    eventType === null ? "–" : foreign(eventType),
    reasons.length ? reasons.map((reason) => [h("span", { class: "tag" }, foreign(reason)), " "]) : "–",
  ];
}

function form(query) {
  const outcome = h("select", { id: "verdict", name: "verdict" },
    ["", "accepted", "partial", "rejected"].map((name) =>
      h("option", { value: name, selected: (query.get("verdict") ?? "") === name }, name || "any")));
  const field = ([name, label, hint]) => h("div", {}, h("label", { for: name }, label),
    h("input", { id: name, name, value: query.get(name) ?? "", placeholder: hint, autocomplete: "off", spellcheck: "false", maxlength: 300 }));
  const element = h("form", { class: "filter", role: "search", "aria-label": "Filter" },
    h("div", {}, h("label", { for: "verdict" }, "Verdict"), outcome), FIELDS.map(field),
    h("div", { class: "actions" }, h("button", { type: "submit" }, "Filter"), h("a", { href: "#/verdicts" }, "Clear")));
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = [...new FormData(element)].filter(([, value]) => value.trim() !== "");
    location.hash = `#/verdicts?${new URLSearchParams(given)}`;
  });
  return element;
}
