// The newest verdicts, as a filter takes them. The filter stands in the address, so that it can be passed on.

import { h } from "../dom.js";
import { count, shown } from "../format.js";
import { badge, foreign, organizationLink, table, time } from "../parts.js";

const FIELDS = [
  ["organization", "Organization", "slug"],
  ["reason", "Reason", "code, as in locked"],
  ["attribute", "Attribute", "name"],
  ["user", "User", "id, e-mail or sha256:…"],
  ["event_type", "Event type", "identify"],
];
// Not the user: a title is read over shoulders.
const TITLED = ["verdict", "organization", "reason", "attribute", "event_type"];

export default {
  title({ query }) {
    const given = TITLED.map((name) => query.get(name)).filter(Boolean);
    return given.length ? `Verdicts: ${shown(given.join(", "))}` : "Verdicts";
  },
  async load({ query }, get) {
    try {
      return await get(`/api/v1/verdicts?${query}`);
    } catch (error) {
      // A filter that isn't understood is mended in its form.
      if (error.status !== 400) throw error;
      return { refused: error.message };
    }
  },
  render: (data, { query }) => [
    h("h1", {}, "Verdicts"),
    h("div", { "data-keep": `filter ${query}` }),
    data.refused ? h("p", { class: "problem", role: "alert" }, data.refused) : found(data, query),
  ],
  after(root, _, { query }) {
    const place = root.querySelector("[data-keep^=filter]");
    if (!place.firstChild) place.append(form(query));
  },
};

function found({ verdicts, kept, next, clock: { now } }, query) {
  const pages = [
    query.has("before") && h("a", { href: address(query, null) }, "Newest"),
    next !== null && h("a", { href: address(query, next) }, "Older"),
  ];
  return [
    h("p", { class: "dim" }, `Looks through the newest ${count(kept)} verdicts. Rejected and partial ones are kept longest.`),
    table("Verdicts, the newest first", [
      { name: "Verdict" }, { name: "When", kind: "when" }, { name: "Organization" }, { name: "User", kind: "wide" }, { name: "Type" },
      { name: "Reasons", kind: "wide" },
    ], verdicts.map((row) => ({ key: String(row.number), cells: cells(row, now, query.get("user")) })),
    kept > 0 ? "No verdict like this is among the newest." : "No verdict was read yet."),
    pages.some(Boolean) && h("nav", { class: "pages", "aria-label": "Pages" }, pages),
  ];
}

function address(query, before) {
  const search = new URLSearchParams(query);
  search.delete("before");
  if (before !== null) search.set("before", before);
  return `#/verdicts?${search}`;
}

function cells({ verdict, at, organization, users, eventType, reasons, dropped, replay, source }, now, sought) {
  const place = [source.topic, source.partition, source.offset].map(encodeURIComponent).join("/");
  const tags = [...reasons, ...dropped.filter((reason) => !reasons.includes(reason))];
  return [
    h("a", { href: `#/verdict/${place}`, "aria-label": `${verdict}, in full` }, badge(verdict)),
    [time(at, now), replay !== null && [" ", h("span", { class: "tag" }, "replay")]],
    organizationLink(organization),
    identities(users, sought),
    eventType === null ? "–" : foreign(eventType),
    tags.length ? tags.map((reason) => [h("span", { class: "tag" }, foreign(reason)), " "]) : "–",
  ];
}

/** The identity that was looked for, else the first; a hash may be that of any. */
function identities(users, sought) {
  if (!users.length) return "–";
  if (users.includes(sought)) return foreign(sought);
  const told = sought?.startsWith("sha256:") ? users : users.slice(0, 1);
  return told.map((user, at) => [at > 0 && ", ", foreign(user)]);
}

function form(query) {
  const outcome = h("select", { id: "verdict", name: "verdict" },
    ["", "accepted", "partial", "rejected"].map((name) =>
      h("option", { value: name, selected: (query.get("verdict") ?? "") === name }, name || "any")));
  const field = ([name, label, hint]) => h("div", {}, h("label", { for: name }, label),
    h("input", { id: name, name, value: query.get(name) ?? "", placeholder: hint, autocomplete: "off", spellcheck: "false", maxlength: 300 }));
  const clear = h("a", { href: "#/verdicts" }, "Clear");
  const element = h("form", { class: "filter", role: "search", "aria-label": "Filter" },
    h("div", {}, h("label", { for: "verdict" }, "Verdict"), outcome), FIELDS.map(field),
    h("div", { class: "actions" }, h("button", { type: "submit" }, "Filter"), clear));
  // Without a filter the address stays the same, and only what was typed goes.
  clear.addEventListener("click", () => element.reset());
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    // What is pasted has blanks around it; the name of an attribute may have its own.
    const typed = [...new FormData(element)].map(([name, value]) => [name, name === "attribute" ? value : value.trim()]);
    const given = typed.filter(([, value]) => value.trim() !== "");
    location.hash = `#/verdicts?${new URLSearchParams(given)}`;
  });
  return element;
}
