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
const pauseButton = document.querySelector("[data-pause]");

const ROUTES = [
  [/^\/$/, "overview", overview],
  [/^\/rejections$/, "rejections", rejections],
  [/^\/verdicts$/, "verdicts", verdicts],
  [/^\/verdict\/([^/]+)\/([^/]+)\/([^/]+)$/, "verdicts", verdict],
  [/^\/organizations$/, "organizations", organizations],
  [/^\/organization\/([^/]+)$/, "organizations", organization],
];
const UNKNOWN = {
  title: () => "Nothing here",
  still: true,
  load: async () => ({}),
  render: () => wayOut("Nothing here", "This address names no view."),
};

// What is shown. Each time that it asks is a turn; an answer to an earlier one comes too late.
let shown = { stop: new AbortController() };
// While it is paused, what each address showed: nothing moves, and what is opened meanwhile is asked for once.
let paused = null;

/** Shows what the address names. */
function route() {
  const hash = location.hash.startsWith("#/") ? location.hash.slice(1) : "/";
  const [path, query] = hash.split(/\?(.*)/s);
  const found = ROUTES.map(([pattern, name, view]) => [pattern.exec(path), name, view]).find(([match]) => match);
  const [match, name, view] = found ?? [[], undefined, UNKNOWN];
  const context = { name, parts: match.slice(1).map(decoded), query: new URLSearchParams(query ?? ""), again };
  const before = shown.view;
  shown.stop.abort();
  clearTimeout(shown.timer);
  shown = { stop: new AbortController(), address: hash, view, context, turn: 0, top: history.state?.top ?? 0 };
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${view.title(context)} · attrsync`;
  // A new view begins with its content, for screen readers and for the keyboard.
  if (before) main.focus({ preventScroll: true });
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

/** Shows at once what a reader has chosen, and asks for what is new. */
function again() {
  draw(shown.view, shown.data, shown.context);
  ask();
}

/** Holds still what is shown, or lets it go on. */
function pause() {
  // Before the token is given there is nothing to hold.
  if (main.querySelector(".login")) return;
  paused = paused ? null : new Map(shown.data ? [[shown.address, shown.data]] : []);
  pauseButton.setAttribute("aria-pressed", String(Boolean(paused)));
  // An answer that is under way comes too late then, and changes nothing.
  ask();
}

/** Asks now instead of in a moment. */
function ask() {
  clearTimeout(shown.timer);
  tick();
}

async function tick() {
  const mine = shown;
  const turn = ++mine.turn;
  const late = () => mine !== shown || turn !== mine.turn;
  try {
    const data = paused?.get(mine.address) ?? (await mine.view.load(mine.context, (path) => get(path, mine.stop.signal)));
    if (late()) return;
    paused?.set(mine.address, data);
    answered(data, mine);
    mine.asks = !mine.view.still && !paused;
  } catch (error) {
    if (late()) return;
    refused(error, mine);
    // The token, once it is given, asks anew.
    mine.asks = error.status !== 401;
  }
  if (mine.asks) mine.timer = setTimeout(tick, document.hidden ? 5 * PAUSE_MS : PAUSE_MS);
}

function answered(data, mine) {
  Object.assign(mine, { data, at: Date.now() });
  tell(notice(data));
  // A page in the background draws no frames: one waits, for the newest answer.
  cancelAnimationFrame(mine.frame);
  mine.frame = requestAnimationFrame(() => mine === shown && draw(mine.view, data, mine.context));
}

function refused(error, mine) {
  if (!(error instanceof Refused) || error.status >= 500) return tell(lost(error, mine.at));
  tell("");
  cancelAnimationFrame(mine.frame);
  if (error.status === 401) return askForToken();
  const heading = error.status === 404 ? "Nothing here" : "This can't be answered";
  draw({ render: () => wayOut(heading, error.message, mine.context.name) }, {}, mine.context);
}

function draw(view, data, context) {
  const fresh = h("div", { class: "view" }, view.render(data, context));
  const old = main.firstElementChild;
  const first = !old?.classList.contains("view");
  if (first) main.replaceChildren(fresh);
  else morph(old, fresh);
  view.after?.(main.firstElementChild, data, context);
  if (data.reading) document.getElementById("since").textContent = since(data.reading);
  if (first) scrollTo(0, shown.top);
}

function since({ from, cut }) {
  return `Counted from the verdict topics since ${exactTime(from)}${cut ? "; there are older ones, beyond dashboard.window_records" : ""}.`;
}

/** Says this above the view. A screen reader hears what is new of it. */
function tell(text) {
  if (connection.textContent !== text) connection.textContent = text;
}

/** Since when nothing moves; or why the figures are not all that there is, in views that don't say so themselves. */
function notice({ clock, reading, status }) {
  if (paused) return clock ? `Paused at ${exactTime(clock.now)}.` : "Paused.";
  if (!reading || status) return "";
  if (reading.problem) return `The verdicts can't be read: ${reading.problem}.`;
  return reading.caughtUp ? "" : "Verdicts are still being read: figures grow until that is done.";
}

function lost(error, at) {
  const what = error instanceof Refused ? `The dashboard can't answer: ${error.message}.` : "The dashboard doesn't answer.";
  const before = at ? ` What you see is from ${exactTime(at)}.` : "";
  return `${what} Trying again.${before} If this lasts, load the page again.`;
}

function wayOut(heading, text, name = "overview") {
  const [address, link] = name === "overview" ? ["#/", "To the overview"] : [`#/${name}`, `All ${name}`];
  return [h("h1", {}, heading), h("p", {}, text), h("p", {}, h("a", { href: address }, link))];
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
      await logIn(input.value.trim());
      route();
    } catch (error) {
      problem.textContent = error.status === 401
        ? "That is not the token. It stands in the file that dashboard.token_file names."
        : "The dashboard doesn't answer. Try again in a moment.";
      input.select();
    }
  });
  main.replaceChildren(form);
  input.focus();
}

pauseButton.addEventListener("click", pause);
addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => !document.hidden && shown.asks && ask());
// Whoever comes back to a view finds the place in it again.
document.addEventListener("click", () => history.replaceState({ top: scrollY }, ""));
// An address names a view: to its content one gets without another.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
route();
