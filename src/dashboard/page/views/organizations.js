// Every organization, those with the most refused events first.

import { h } from "../dom.js";
import { count, percent } from "../format.js";
import { foreign, organizationLink, sparkline, table, time, verdictsLink } from "../parts.js";

export default {
  title: () => "Organizations",
  load: ({ query }, get) => get(`/api/v1/organizations?${new URLSearchParams({ search: query.get("search") ?? "" })}`),
  render: (data, { query }) => [
    h("h1", {}, "Organizations"),
    h("div", { "data-keep": `search ${query}` }),
    table("Organizations, those with the most refused events of the last hour first", [
      { name: "Organization" }, { name: "Accepted", kind: "number" }, { name: "Partial", kind: "number" }, { name: "Rejected", kind: "number" },
      { name: "Refused, by minute", kind: "spark" }, { name: "Mostly for" }, { name: "Last", kind: "when" },
    ], data.organizations.map((row) => ({ key: row.organization, cells: cells(row, data.clock.now) })),
    query.get("search") ? "The slug of no organization that was read holds this text." : "No verdict of any organization was read yet."),
    h("p", { class: "dim" }, "Figures of the last hour. ", rest(data)),
  ],
  after(root, _, { query }) {
    const place = root.querySelector("[data-keep^=search]");
    if (!place.firstChild) place.append(form(query));
  },
};

function cells({ organization, lastHour, refusedHour, topReason, last }, now) {
  const { accepted, partial, rejected } = lastHour;
  const all = accepted + partial + rejected;
  const refused = partial + rejected;
  return [
    organizationLink(organization),
    count(accepted), count(partial),
    [count(rejected), " ", h("span", { class: "note" }, percent(rejected, all))],
    sparkline(refusedHour, `${count(refused)} partial or rejected in the last hour`),
    topReason === null ? "–" : verdictsLink({ organization, reason: topReason }, foreign(topReason)),
    time(last, now),
  ];
}

function rest({ nobody, others, found, organizations }) {
  const sum = ({ accepted, partial, rejected }) => accepted + partial + rejected;
  return [
    `${count(sum(nobody.lastHour))} events named no organization that is known.`,
    sum(others.total) > 0 ? ` ${count(sum(others.lastHour))} are of organizations beyond those that are told apart.` : "",
    found > organizations.length ? ` ${count(organizations.length)} of ${count(found)} are shown: search for others.` : "",
  ].join("");
}

function form(query) {
  const input = h("input", { id: "search", name: "search", value: query.get("search") ?? "", placeholder: "part of the slug", autocomplete: "off", spellcheck: "false" });
  const element = h("form", { class: "filter", role: "search", "aria-label": "Organizations" },
    h("div", {}, h("label", { for: "search" }, "Search"), input), h("div", { class: "actions" }, h("button", { type: "submit" }, "Search")));
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = `#/organizations?${new URLSearchParams({ search: input.value.trim() })}`;
  });
  return element;
}
