// What the browser test is made of: a running `attrsync dev`, a Chromium that reaches nothing but it, and a page that notes
// everything it complains of.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";

export const root = new URL("../..", import.meta.url).pathname;
export const shots = join(root, "target/screenshots");
const binary = process.env.ATTRSYNC_BINARY ?? resolve(root, process.env.CARGO_TARGET_DIR ?? "target", "debug/attrsync");
/** What anything here is waited for at most, in milliseconds; Playwright has limits of its own. */
const SOON = 60_000;
mkdirSync(shots, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "attrsync-browser-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

/** Starts `attrsync dev`; `stop` ends it. */
export const dev = (...further) => start(["dev", "--dashboard-address", "127.0.0.1:0", ...further], "inherit");

/** Starts `attrsync dashboard` for a cluster that is away, with this token. */
export function dashboardAlone(token) {
  const file = join(mkdtempSync(join(scratch, "token-")), "token");
  writeFileSync(file, `${token}\n`);
  // What it logs of the cluster is not what is looked at here.
  return start(["dashboard", "--address", "127.0.0.1:0", "--brokers", "127.0.0.1:9", "--set", `dashboard.token_file=${file}`], "ignore");
}

async function start(command, stderr) {
  const child = spawn(binary, command, { stdio: ["ignore", "pipe", stderr] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const lines = createInterface({ input: child.stdout });
  const url = await within(`attrsync ${command[0]} says where it listens`, child, new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      const found = /(?:^|dashboard\s+)(http:\S+)/.exec(line);
      if (found) resolve(found[1]);
    });
    ended.then((code) => reject(new Error(`attrsync ${command[0]} ended with ${code}`)));
  }));
  const stop = async () => { child.kill("SIGINT"); await within(`attrsync ${command[0]} ends`, child, ended); };
  return { url: url.replace(/\/$/, ""), stop };
}

/** What comes of this, in time; otherwise the process that it is waited for of is killed. */
async function within(what, child, promise) {
  const over = new AbortController();
  const late = pause(SOON, undefined, { signal: over.signal }).then(() => {
    child.kill("SIGKILL");
    throw new Error(`not within a minute: ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => {});
    over.abort();
  }
}

/** Asks again and again until it holds. */
export async function eventually(what, holds) {
  const end = Date.now() + SOON;
  while (!(await holds())) {
    check(Date.now() < end, `within a minute ${what}`);
    await pause(50);
  }
}

/** Writes the page of what changes where an organization enforces and locks, of made-up events; some name their SDK like this. */
export function changesPage(hostile) {
  const folder = mkdtempSync(join(scratch, "changes-"));
  const settings = join(root, "settings.example.toml");
  const at = Date.parse("2026-11-22T10:00:00Z");
  const payloads = (n) => [
    { organization: "globex", userId: `g${n % 300}`, name: "Eve", plan: "Free" },
    { appId: "65f1c0de65f1c0de65f1c0de", locale: "de", title: "Engineer" },
    { organization: "initech", userId: "1" },
  ];
  const line = (_, n) => JSON.stringify({ topic: "events", partition: n % 3, offset: n, ts: at + n * 9_000, payload: JSON.stringify({
    id: `e${n}`, type: n % 3 ? "boot" : "identify", context: { anonymousId: `v${n % 50}`, library: { name: n % 5 ? "featurebase-js" : hostile, version: `1.0.${n % 4}` } },
    payload: payloads(n)[n % 3],
  }) });
  writeFileSync(join(folder, "events.ndjson"), Array.from({ length: 2_000 }, line).join("\n"));
  writeFileSync(join(folder, "next.toml"), readFileSync(settings, "utf8").replace('enforcement = "observe"', 'enforcement = "enforced"')
    .replace("max_chars = 100 }", "max_chars = 100, locked = true }"));
  execFileSync(binary, ["replay", "--from-file", "events.ndjson", "--compare", "now", "next.toml", "--html", "page.html", "--settings", settings], { cwd: folder });
  return pathToFileURL(join(folder, "page.html")).href;
}

/** Starts Chromium. As root it has no sandbox; it is told to look for nothing by itself. */
export async function browser() {
  const profile = mkdtempSync(join(tmpdir(), "attrsync-chromium-"));
  const launched = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", `--disk-cache-dir=${profile}`],
  });
  return { launched, close: async () => { await launched.close(); rmSync(profile, { recursive: true, force: true }); } };
}

/** A page; `complaints` are errors of scripts, refusals of the policy, and requests that went elsewhere or failed. */
export async function page(launched, url, options = {}) {
  const context = await launched.newContext({ locale: "en-GB", timezoneId: "UTC", ...options });
  const made = await context.newPage();
  const complaints = [];
  made.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  made.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(`console: ${message.text()}`));
  made.on("dialog", (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  made.on("request", (request) => request.url().startsWith(url) || request.url().startsWith("data:") || complaints.push(`elsewhere: ${request.url()}`));
  return { page: made, complaints, close: () => context.close() };
}

/** Fails unless it holds. */
export function check(holds, what) {
  if (!holds) throw new Error(`does not hold: ${what}`);
}
