// Which view is shown, and how it stays up to date: a view asks once a second, and what comes is drawn in the next frame. However
// many verdicts there are, the page changes once a second.

import { Refused, get, logIn } from "./api.js";
import { h, morph } from "./dom.js";
import { exactTime } from "./format.js";
import organization from "./views/organization.js";
import organizations from "./views/organizations.js";
import overview from "./views/overview.js";
import rejections from "./views/rejections.js";
import verdict from "./views/verdict.js";
import verdicts from "./views/verdicts.js";

const PAUSE_MS = 1000;
const main = document.getElementById("main");
const connection = document.getElementById("connection");

const ROUTES = [
  [/^\/$/, "overview", overview],
  [/^\/rejections$/, "rejections", rejections],
  [/^\/verdicts$/, "verdicts", verdicts],
  [/^\/verdict\/([^/]+)\/([^/]+)\/([^/]+)$/, "verdicts", verdict],
  [/^\/organizations$/, "organizations", organizations],
  [/^\/organization\/([^/]+)$/, "organizations", organization],
];

let shown = { stop: new AbortController() };

/** Shows what the address names. */
function route() {
  const hash = location.hash.slice(1) || "/";
  // A link within the page, to its content.
  if (!hash.startsWith("/")) return main.focus();
  const [path, query] = hash.split(/\?(.*)/s);
  const found = ROUTES.map(([pattern, name, view]) => [pattern.exec(path), name, view]).find(([match]) => match);
  const [match, name, view] = found ?? [[], "overview", overview];
  const context = { parts: match.slice(1).map(decoded), query: new URLSearchParams(query ?? ""), again };
  const before = shown.view;
  shown.stop.abort();
  clearTimeout(shown.timer);
  shown = { stop: new AbortController(), view, context };
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${view.title(context)} · attrsync`;
  if (before) {
    // A new view begins at its top, for eyes and for screen readers.
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  main.replaceChildren(h("p", { class: "empty" }, "Loading…"));
  tick();
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Asks now instead of in a moment. */
function again() {
  clearTimeout(shown.timer);
  tick();
}

async function tick() {
  const { view, context, stop } = shown;
  try {
    const data = await view.load(context, (path) => get(path, stop.signal));
    if (stop.signal.aborted) return;
    connection.hidden = true;
    requestAnimationFrame(() => !stop.signal.aborted && draw(view, data, context));
  } catch (error) {
    if (stop.signal.aborted) return;
    if (error instanceof Refused && error.status === 401) return askForToken();
    if (error instanceof Refused && error.status < 500) draw({ render: () => notFound(error) }, {}, context);
    else tellLost();
  }
  if (!view.still) shown.timer = setTimeout(tick, document.hidden ? 5 * PAUSE_MS : PAUSE_MS);
}

function draw(view, data, context) {
  const fresh = h("div", { class: "view" }, view.render(data, context));
  const old = main.firstElementChild;
  if (old?.classList.contains("view")) morph(old, fresh);
  else main.replaceChildren(fresh);
  view.after?.(main.firstElementChild, data, context);
  if (data.reading) document.getElementById("since").textContent = since(data.reading);
}

function since({ from, cut }) {
  return `Counted from the verdict topics since ${exactTime(from)}${cut ? "; older verdicts of that time are left out (dashboard.window_records)" : ""}.`;
}

function tellLost() {
  const text = "The dashboard doesn't answer. Trying again; what you see is from before.";
  if (connection.hidden || connection.textContent !== text) connection.textContent = text;
  connection.hidden = false;
}

function notFound(error) {
  return [h("h1", {}, "Nothing here"), h("p", {}, error.message), h("p", {}, h("a", { href: "#/" }, "Back to the overview"))];
}

function askForToken() {
  const problem = h("p", { class: "problem", role: "alert" });
  const input = h("input", { id: "token", type: "password", autocomplete: "current-password", required: true });
  const form = h("form", { class: "login" },
    h("h1", {}, "Token"),
    h("p", {}, "This dashboard is open to whoever has its token."),
    h("label", { for: "token" }, "Token"), input, h("button", { type: "submit" }, "Open"), problem);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await logIn(input.value);
      route();
    } catch {
      problem.textContent = "That is not the token. It stands in the file that dashboard.token_file names.";
      input.select();
    }
  });
  main.replaceChildren(form);
  input.focus();
}

addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => !document.hidden && shown.view && !shown.view.still && again());
route();
