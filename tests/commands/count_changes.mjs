// Counts what changes between two plain replays of the same file, from their verdicts alone, and prints it in the order of the names of
// what was counted. It shares no line with attrsync: the test holds the report of `replay --compare` against it.
//
//     node count_changes.mjs before.ndjson after.ndjson events.ndjson

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

const [before, after, events] = process.argv.slice(2).map((path) =>
  readFileSync(path, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line)));

const RANK = { accepted: 0, partial: 1, rejected: 2 };
const counts = new Map();
const users = new Map();

function count(...name) {
  const key = JSON.stringify(name);
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function concerns(user, ...name) {
  const key = JSON.stringify(name);
  if (!users.has(key)) users.set(key, new Set());
  users.get(key).add(user);
}

/** Everything that became of an attribute, by whose and which it is: a list of fates for each. */
function fates(verdict) {
  const all = new Map();
  const put = (company, position, attribute, fate, value) => {
    const key = JSON.stringify([company ?? null, position ?? null, attribute]);
    if (!all.has(key)) all.set(key, []);
    all.get(key).push({ fate, value });
  };
  const own = (company, { attributes, unset }) => {
    for (const [name, { value, verified }] of Object.entries(attributes)) put(company, null, name, { fate: "set", verified }, value);
    for (const { attribute, verified } of unset) put(company, null, attribute, { fate: "unset", verified });
  };
  own(null, verdict);
  if (verdict.companies?.length === 0) put(null, null, "companies", { fate: "emptied" });
  for (const company of verdict.companies ?? []) {
    put(company.id, null, "companies", { fate: "set", verified: company.verified });
    own(company.id, company);
  }
  for (const [fate, list] of [["rejected", verdict.rejected], ["dropped", verdict.dropped]]) {
    for (const { company, position, attribute, reason } of list) put(company, position, attribute, { fate, reason });
  }
  return all;
}

const ORDER = ["set", "unset", "emptied", "rejected", "dropped"];
// Signed after unsigned, as false comes before true; reasons of one fate never meet in one verdict of this test.
const order = ({ fate: { fate, verified } }) => ORDER.indexOf(fate) * 2 + (verified ? 1 : 0);

/** Which attributes end otherwise, each as [attribute, of, from, to]. */
function changes(one, other) {
  const [ours, theirs] = [fates(one), fates(other)];
  const found = [];
  for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
    const [company, position, attribute] = JSON.parse(key);
    const left = [...(ours.get(key) ?? [])].sort((a, b) => order(a) - order(b));
    const right = [...(theirs.get(key) ?? [])].sort((a, b) => order(a) - order(b));
    for (const entry of [...left]) {
      const at = right.findIndex((candidate) => isDeepStrictEqual(candidate, entry));
      if (at < 0) continue;
      right.splice(at, 1);
      left.splice(left.indexOf(entry), 1);
    }
    for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
      const from = left[at]?.fate ?? { fate: "absent" };
      const to = right[at]?.fate ?? { fate: "absent" };
      // Neither before nor after does it reach anybody.
      if ([from, to].every(({ fate }) => ["absent", "dropped"].includes(fate)) && (from.fate === "absent" || to.fate === "absent")) continue;
      found.push([attribute, company === null && position === null ? "user" : "company", from, to]);
    }
  }
  return found;
}

const id = ({ user }) => user.userId ?? user.email ?? user.anonymousId;
const first = (...texts) => texts.filter((text) => text !== null).sort()[0] ?? null;

before.forEach((one, at) => {
  const other = after[at];
  const slug = first(one.organization, other.organization);
  count("records");
  count("flow", one.verdict, other.verdict);
  count("organization", slug, "flow", one.verdict, other.verdict);
  const attributes = changes(one, other);
  const head = ({ verdict, reason, organization, user, verification }) => ({ verdict, reason, organization, user, verification });
  if (!attributes.length && isDeepStrictEqual(head(one), head(other))) return;
  const [was, is] = [RANK[one.verdict], RANK[other.verdict]];
  const way = is > was ? "stricter" : is < was ? "milder" : "within";
  count("changed", way);
  count("organization", slug, "changed", way);
  for (const change of attributes) count("organization", slug, "attribute", ...change);
  const kind = ["kind", { verdict: one.verdict, reason: one.reason }, { verdict: other.verdict, reason: other.reason }];
  count(...kind);
  count("eventType", one.event.type ?? "", way);
  const keys = [one, other].map(({ verification: { method, keyId } }) => keyId && `${method}/${keyId}`).filter(Boolean);
  const method = [one, other].map(({ verification }) => verification.method).find((name) => name !== "none") ?? "none";
  for (const key of keys.length ? new Set(keys) : [method]) count("key", key, way);
  const context = sdkContext(events[at]);
  if (context) count("sdk", `${context.name} ${context.version}`, way);
  const proven = [one, other].filter(({ verification }) => verification.status === "verified").map(id);
  const user = first(...proven) ?? first(id(one), id(other));
  if (user === null) {
    count("withoutUser");
    return;
  }
  for (const name of [["users"], kind, ["organization", slug]]) concerns(`${slug} ${user}`, ...name);
});

function sdkContext({ payload }) {
  try {
    return JSON.parse(payload).context?.library;
  } catch {
    return undefined;
  }
}

const sorted = (map, number) => Object.fromEntries([...map].map(([key, value]) => [key, number(value)]).sort());
process.stdout.write(JSON.stringify({ counts: sorted(counts, (value) => value), users: sorted(users, (set) => set.size) }));
