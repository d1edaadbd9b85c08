// Clicks through every view of the dashboard against a running `attrsync dev`, as a person with a mouse, one with a keyboard alone and
// one on a telephone do; and then with markup and terminal escapes in every text of every answer. Screenshots are left in
// target/screenshots.
//
//     cargo build && npm --prefix tests/browser ci && node tests/browser/run.mjs

import { webcrypto } from "node:crypto";
import { join } from "node:path";
import { browser, changesPage, check, dashboardAlone, dev, eventually, page, shots } from "./kit.mjs";

const WIDE = { width: 1600, height: 1000 };
const NARROW = { width: 360, height: 760 };
const NARROWEST = { width: 320, height: 640 };
const SIZES = [["wide", WIDE], ["narrow", NARROW], ["narrowest", NARROWEST]];
const HOSTILE = "</script><img src=x onerror=alert(1)>\u001b[2J\u202e\r\n";
const tests = [];
const test = (name, run) => tests.push([name, run]);

test("every view is reached by clicking and shows what it is for", async ({ open }) => {
  const { page: tab, complaints } = await open({ viewport: WIDE });
  await tab.getByText("All is well").or(tab.getByText("Worth a look")).waitFor();
  await tab.getByRole("table").getByRole("row").nth(4).waitFor();
  check(Number((await figure(tab, "Accepted")).replaceAll(",", "")) > 0, "verdicts are counted");
  for (const span of ["Hour", "Day", "Minute"]) {
    await tab.getByRole("button", { name: span }).click();
    await tab.locator(`button[data-span=${span.toLowerCase()}][aria-pressed=true]`).waitFor();
  }
  check(/Verdicts since .* rejected/.test(await tab.locator(".chart").getAttribute("aria-label")), "the chart is told in words");

  await tab.getByRole("link", { name: "Rejections" }).click();
  await tab.getByRole("heading", { name: "Rejections by reason" }).waitFor();
  await tab.getByText("No key of the organization verifies the token's signature.").waitFor();

  await tab.getByRole("link", { name: "signature_invalid" }).first().click();
  await tab.getByRole("heading", { name: "Verdicts" }).waitFor();
  check((await tab.getByLabel("Reason").inputValue()) === "signature_invalid", "the filter stands in the form");
  await tab.getByRole("button", { name: "Pause" }).click();
  await tab.locator("tbody tr").first().getByRole("link").first().click();
  await tab.getByRole("heading", { name: /rejected/ }).waitFor();
  await tab.getByText("What to do:").first().waitFor();
  check((await tab.getByText(/attrsync replay --brokers .* --offsets/).count()) === 1, "there is a command that replays it");
  await tab.getByRole("button", { name: "Pause" }).click();

  await tab.getByRole("link", { name: "Organizations" }).click();
  await tab.getByRole("link", { name: "globex" }).click();
  await tab.getByText("it observes").waitFor();
  await tab.getByRole("link", { name: "Organizations" }).click();
  await tab.getByRole("link", { name: "acme" }).click();
  for (const heading of ["Advice", "What is being rejected", "Enforcement", "Keys that sign", "Attributes of users", "Names that nobody configured"]) {
    await tab.getByRole("heading", { name: heading }).waitFor();
  }
  await tab.getByRole("link", { name: "plan" }).first().waitFor();
  await tab.getByText("attrsync settings attribute add acme utm_campaign --type TYPE").waitFor();
  check(complaints.length === 0, `no complaints: ${complaints}`);
});

test("a filter finds a user exactly and by hash, and what is refused is said", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE });
  const { verdicts } = await (await fetch(`${url}/api/v1/verdicts?organization=acme`)).json();
  const user = verdicts.find((row) => row.users.length)?.users[0];
  await tab.goto(`${url}/#/verdicts`);
  await tab.getByLabel("User").fill(` ${user} `);
  await tab.getByRole("button", { name: "Filter" }).click();
  await tab.waitForURL((at) => at.hash.endsWith(`user=${encodeURIComponent(user)}`));
  await tab.locator("tbody").getByText(user, { exact: true }).first().waitFor();
  const digest = new Uint8Array(await webcrypto.subtle.digest("SHA-256", new TextEncoder().encode(user)));
  const hash = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  await tab.getByLabel("User").fill(`sha256:${hash}`);
  await tab.getByRole("button", { name: "Filter" }).click();
  await tab.waitForURL(/sha256/);
  await tab.locator("tbody").getByText(user, { exact: true }).first().waitFor();
  await tab.goto(`${url}/#/verdicts?user=sha256:12`);
  await tab.getByText("64 hexadecimal digits").waitFor();
  check((await tab.getByLabel("User").inputValue()) === "sha256:12", "what is refused can be mended in the form");
  await tab.getByLabel("User").fill("");
  await tab.getByRole("button", { name: "Filter" }).click();
  await tab.locator("tbody tr").first().waitFor();
});

test("a row shows the identity that was looked for", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, "about:blank");
  const answer = await (await fetch(`${url}/api/v1/verdicts`)).json();
  const row = { ...answer.verdicts[0], users: ["u-1", "one@example.com"], verdict: "accepted", reasons: ["not_configured"] };
  await tab.route(/\/api\/v1\/verdicts(\?|$)/, (route) => route.fulfill({ json: { ...answer, verdicts: [row] } }));
  for (const [sought, told] of [["one@example.com", "one@example.com"], ["u-1", "u-1"], ["", "u-1"], [`sha256:${"0".repeat(64)}`, "u-1, one@example.com"]]) {
    await tab.goto(`${url}/#/verdicts?${new URLSearchParams({ user: sought })}`);
    await tab.locator("tbody td[data-label=User]").getByText(told, { exact: true }).first().waitFor();
  }
  await tab.locator("tbody td[data-label=Reasons]").getByText("not_configured").waitFor();
});

test("an address that names no view says so, and the skip link leaves the address as it is", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, `${url}/#/nowhere`);
  await tab.getByRole("heading", { name: "Nothing here" }).waitFor();
  await tab.getByRole("link", { name: "To the overview" }).click();
  await tab.getByRole("table").waitFor();
  await tab.goto(`${url}/#/organization/nobody`);
  await tab.getByRole("link", { name: "All organizations" }).click();
  await tab.getByRole("link", { name: "acme" }).waitFor();
  await tab.getByText("Skip to the content").focus();
  await tab.keyboard.press("Enter");
  check((await tab.evaluate(() => document.activeElement.id)) === "main", "the content has the focus");
  check(tab.url() === `${url}/#/organizations`, "a reload shows the same view");
});

test("what is paused stands still in every view until it goes on", async ({ open }) => {
  const { page: tab } = await open({ viewport: WIDE });
  await tab.getByRole("table").waitFor();
  const button = tab.getByRole("button", { name: "Pause" });
  await button.click();
  await tab.getByText("Paused at").waitFor();
  // What was answered just before is drawn in the next frame.
  await tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const [told, before] = [await tab.getByText("Paused at").textContent(), await figure(tab, "Accepted")];
  let asked = 0;
  tab.on("request", (request) => { asked += request.url().includes("/api/") ? 1 : 0; });
  await tab.getByRole("button", { name: "Hour" }).click();
  await tab.locator("button[data-span=hour][aria-pressed=true]").waitFor();
  await tab.waitForTimeout(2_500);
  check((await figure(tab, "Accepted")) === before && asked === 0, `nothing moves, and ${asked} requests were sent`);
  await tab.getByRole("link", { name: "Rejections" }).click();
  await tab.getByRole("heading", { name: "Rejections by reason" }).waitFor();
  await tab.waitForTimeout(2_500);
  check(asked === 1, `a view that is opened is asked for once: ${asked}`);
  await tab.getByRole("link", { name: "Overview" }).click();
  await tab.locator(".figure.accepted dd").waitFor();
  check((await figure(tab, "Accepted")) === before && (await tab.getByText("Paused at").textContent()) === told, "who comes back finds it as it was");
  await button.click();
  await tab.getByText("Paused at").waitFor({ state: "hidden" });
  await tab.waitForFunction((text) => document.querySelector(".figure.accepted dd").firstChild.textContent !== text, before);
});

test("who comes back from a verdict finds the list as it was left", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, `${url}/#/verdicts`);
  await tab.getByRole("button", { name: "Pause" }).click();
  await tab.getByText("Paused at").waitFor();
  const row = tab.locator("tbody tr").nth(30);
  await row.getByRole("link").first().click();
  await tab.getByRole("heading", { name: "The event" }).waitFor();
  await tab.goBack();
  await row.waitFor();
  check((await tab.evaluate(() => scrollY)) > 0, "the list is scrolled to where it was");
});

test("a row keeps the focus while others come and go", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, "about:blank");
  const answer = await (await fetch(`${url}/api/v1/verdicts`)).json();
  let newer = 2;
  await tab.route(/\/api\/v1\/verdicts(\?|$)/, (route) => route.fulfill({ json: { ...answer, verdicts: answer.verdicts.slice(newer, newer + 5) } }));
  await tab.goto(`${url}/#/verdicts`);
  const row = (at) => tab.locator(`tr[data-key="${answer.verdicts[at].number}"]`);
  await row(3).getByRole("link").first().focus();
  newer = 0;
  await row(0).waitFor();
  check((await row(3).locator(":focus").count()) === 1, "the focus is where it was");
});

test("a row keeps focus and selection while it changes places with others", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, "about:blank");
  const answer = await (await fetch(`${url}/api/v1/organizations`)).json();
  const row = (name) => ({ ...answer.organizations[0], organization: name });
  let order = "abc";
  await tab.route(/\/api\/v1\/organizations(\?|$)/, (route) => route.fulfill({ json: { ...answer, organizations: [...order].map(row) } }));
  await tab.goto(`${url}/#/organizations`);
  const shown = (names) => tab.waitForFunction((all) => [...document.querySelectorAll("tbody tr")].map((one) => one.dataset.key).join("") === all, names);
  await tab.locator('tr[data-key="b"] a').first().focus();
  await tab.evaluate(() => { for (const one of document.querySelectorAll("tbody tr")) one.marked = true; });
  const turn = async (next) => {
    order = next;
    await shown(next);
    check((await tab.locator('tr[data-key="b"] :focus').count()) === 1, `the focus is where it was: ${next}`);
    const marked = await tab.evaluate(() => [...document.querySelectorAll("tbody tr")].filter((one) => one.marked).map((one) => one.dataset.key).join(""));
    const kept = [...next].filter((name) => "abc".includes(name)).join("");
    check(marked === kept, `${marked} are the rows that they were: ${next}`);
  };
  for (const next of ["bac", "acb", "cba", "dcba", "bdac", "abcd"]) await turn(next);
  await tab.evaluate(() => {
    document.activeElement.blur();
    getSelection().selectAllChildren(document.querySelector('tr[data-key="c"] a'));
  });
  for (const next of ["cab", "bac", "bca"]) {
    order = next;
    await shown(next);
    check((await tab.evaluate(() => getSelection().toString())) === "c", `what was selected still is: ${next}`);
  }
});

test("the keyboard alone reaches everything, and focus survives updates", async ({ open }) => {
  const { page: tab } = await open({ viewport: WIDE });
  await tab.getByRole("table").waitFor();
  await tab.keyboard.press("Tab");
  check((await focused(tab)) === "Skip to the content", "the first stop skips the navigation");
  const seen = [];
  for (let at = 0; at < 9; at += 1) {
    await tab.keyboard.press("Tab");
    seen.push(await focused(tab));
  }
  for (const stop of ["attrsync", "Overview", "Rejections", "Verdicts", "Organizations", "Pause", "Minute", "Hour", "Day"]) {
    check(seen.includes(stop), `${stop} is among ${seen}`);
  }
  const before = await figure(tab, "Accepted");
  await tab.waitForFunction((text) => document.querySelector(".figure.accepted dd").firstChild.textContent !== text, before);
  check((await focused(tab)) === seen.at(-1), "an update leaves the focus where it is");
  const problems = await tab.evaluate(() => {
    const found = [];
    if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
    for (const cell of document.querySelectorAll("th")) if (!cell.scope) found.push("a th without scope");
    for (const table of document.querySelectorAll("table")) if (!table.caption) found.push("a table without caption");
    for (const input of document.querySelectorAll("input, select")) if (!input.labels.length) found.push("an input without label");
    for (const image of document.querySelectorAll("[role=img], [role=application]")) if (!image.getAttribute("aria-label")) found.push("an image without words");
    for (const landmark of ["header", "nav", "main", "footer"]) if (!document.querySelector(landmark)) found.push(`no ${landmark}`);
    return found;
  });
  check(problems.length === 0, `${problems}`);
});

test("texts and the bars of charts are told apart from the ground in both schemes", async ({ open }) => {
  for (const colorScheme of ["light", "dark"]) {
    const { page: tab } = await open({ viewport: WIDE, colorScheme });
    await tab.getByRole("table").waitFor();
    const weak = await tab.evaluate(contrasts);
    check(weak.length === 0, `${colorScheme}: ${weak.join("; ")}`);
    // What is no text has to stand out by 3:1.
    for (const name of ["accepted", "partial", "rejected"]) {
      const ratio = await tab.evaluate(contrast, [`--${name}`, "--surface"]);
      check(ratio >= 3, `${colorScheme}: ${name} has ${ratio.toFixed(2)}`);
    }
  }
});

test("the arrow keys go through the bars of a chart, and what stands there is heard", async ({ open, url }) => {
  for (const [view, path] of [["overview", ""], ["organization", "organization/acme"]]) {
    const { page: tab, complaints } = await open({ viewport: WIDE }, `${url}/#/${path}`);
    await tab.locator(".chart canvas").waitFor();
    // By the hour a bar stays for a minute.
    if (view === "overview") {
      await tab.getByRole("button", { name: "Hour" }).click();
      await tab.getByRole("button", { name: "Day" }).focus();
      await tab.keyboard.press("Tab");
    } else {
      await tab.getByRole("application").focus();
    }
    check((await tab.evaluate(() => document.activeElement.className)) === "chart", `${view}: the chart has the focus`);
    const line = tab.locator(".readout[aria-live=polite]");
    const press = async (key) => {
      await tab.keyboard.press(key);
      return line.textContent();
    };
    const [last, before, before2] = [await press("ArrowLeft"), await press("ArrowLeft"), await press("ArrowLeft")];
    const told = /^.*: [\d,]+ accepted, [\d,]+ partial, [\d,]+ rejected$/;
    for (const text of [last, before, before2]) check(told.test(text), `${view}: ${text}`);
    check(new Set([last, before, before2].map((text) => text.split(": ")[0])).size === 3, `${view}: ${last}; ${before}; ${before2}`);
    check((await press("ArrowRight")) === before, `${view}: the way back`);
    for (let at = 0; at < 70; at += 1) await tab.keyboard.press("ArrowLeft");
    check(told.test(await line.textContent()), `${view}: the first bar is the last on the left`);
    await tab.keyboard.press("Shift+Tab");
    check((await line.textContent()) === "", `${view}: who leaves takes the cursor along`);
    check(complaints.length === 0, `no complaints: ${complaints}`);
  }
});

test("the bar that the arrow keys chose stays chosen while others come after it", async ({ open }) => {
  const { page: tab } = await open({ viewport: WIDE });
  await tab.locator(".chart canvas").waitFor();
  await tab.getByRole("application").focus();
  for (let at = 0; at < 5; at += 1) await tab.keyboard.press("ArrowLeft");
  const line = tab.locator(".readout");
  const told = await line.textContent();
  const left = () => tab.locator(".u-cursor-x").evaluate((cursor) => cursor.getBoundingClientRect().left);
  const begun = await left();
  await eventually("the bar moves to the left", async () => (await left()) < begun - 1);
  check((await line.textContent()) === told, `${told} became ${await line.textContent()}`);
});

test("markup and escapes in every text of every answer stay text", async ({ open, url }) => {
  const { page: tab, complaints } = await open({ viewport: WIDE }, "about:blank");
  const poison = (value) => {
    if (typeof value === "string") return HOSTILE + value;
    if (Array.isArray(value)) return value.map(poison);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, poison(inner)]));
  };
  const names = (attributes) => Object.fromEntries(Object.entries(attributes ?? {}).map(([name, value]) => [HOSTILE + name, value]));
  await tab.route("**/api/v1/**", async (route) => {
    const answer = await route.fetch({ url: route.request().url().replace(/\/verdicts\/x\/.*/, source) });
    const body = poison(await answer.json());
    if (body.verdict?.attributes) body.verdict.attributes = names(body.verdict.attributes);
    if (body.text) body.text = JSON.stringify(body.verdict);
    await route.fulfill({ response: answer, json: body });
  });
  const { verdicts } = await (await fetch(`${url}/api/v1/verdicts?verdict=partial`)).json();
  const { topic, partition, offset } = verdicts[0].source;
  const source = `/verdicts/${topic}/${partition}/${offset}`;
  for (const view of ["", "rejections", "verdicts", "verdict/x/0/0", "organizations", "organization/acme"]) {
    await tab.goto(`${url}/#/${view}`);
    await tab.getByText("onerror=alert(1)").first().waitFor();
    const found = await tab.evaluate(() => ({
      elements: document.querySelectorAll("main img, main script, main iframe, main [onerror]").length,
      controls: /[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/.test(document.querySelector("main").textContent),
    }));
    check(found.elements === 0 && !found.controls, `${view}: ${JSON.stringify(found)}`);
  }
  check(complaints.length === 0, `no complaints: ${complaints}`);
});

test("a dashboard that is gone is said, and what was there stays", async ({ open }) => {
  const { page: tab } = await open({ viewport: WIDE });
  await tab.getByRole("table").waitFor();
  await tab.route("**/api/**", (route) => route.abort());
  await tab.getByText("The dashboard doesn't answer").waitFor();
  check(await tab.getByRole("table").isVisible(), "the figures of before are still there");
  await tab.unroute("**/api/**");
  await tab.getByText("The dashboard doesn't answer").waitFor({ state: "hidden" });
});

test("a network that falls silent is said, and one verdict is asked for until it comes", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE });
  await tab.getByRole("table").waitFor();
  await tab.route("**/api/**", () => {});
  await tab.getByText(/The dashboard doesn't answer.*What you see is from/).waitFor();
  await tab.unroute("**/api/**");
  await tab.getByText("The dashboard doesn't answer").waitFor({ state: "hidden" });
  let asked = 0;
  await tab.route("**/api/v1/verdicts/**", (route) => ((asked += 1) > 1 ? route.continue() : route.abort()));
  await tab.goto(`${url}/#/${await partial(url)}`);
  await tab.getByRole("heading", { name: "The event" }).waitFor();
  check(asked === 2 && (await tab.getByText("Trying again").count()) === 0, `it was asked for ${asked} times`);
});

test("clicks while an answer is under way start no rounds of their own", async ({ open }) => {
  const { page: tab } = await open({ viewport: WIDE });
  await tab.getByRole("table").waitFor();
  const overview = "**/api/v1/overview";
  await tab.route(overview, (route) => { setTimeout(() => route.continue().catch(() => {}), 500); });
  for (const span of ["Hour", "Day", "Minute", "Hour", "Day", "Minute"]) await tab.getByRole("button", { name: span }).click();
  await tab.waitForResponse(overview);
  const begun = Date.now();
  for (let at = 0; at < 4; at += 1) await tab.waitForRequest(overview);
  const took = Date.now() - begun;
  check(took > 2_500, `four more requests took ${took} ms`);
});

test("a chart that is left is forgotten", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, "about:blank");
  // Each chart listens to the window for as long as uPlot keeps it; one more listener is of all of them.
  await tab.addInitScript(() => {
    window.heard = 0;
    for (const [name, more] of [["addEventListener", 1], ["removeEventListener", -1]]) {
      const own = window[name];
      window[name] = (kind, ...rest) => {
        if (kind === "dppxchange") window.heard += more;
        own.call(window, kind, ...rest);
      };
    }
  });
  await tab.goto(`${url}/`);
  for (let visit = 0; visit < 4; visit += 1) {
    await tab.locator(".chart canvas").waitFor();
    await tab.getByRole("link", { name: "Rejections" }).click();
    await tab.getByRole("heading", { name: "Rejections by reason" }).waitFor();
    await tab.getByRole("link", { name: "Overview" }).click();
  }
  await tab.locator(".chart canvas").waitFor();
  const heard = await tab.evaluate(() => window.heard);
  check(heard === 2, `${heard} listeners`);
});

test("numbers are shown as they are written, and what was unset of a company is listed", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, "about:blank");
  await tab.route("**/api/v1/verdicts/**", async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    const company = { id: "c1", verified: true, attributes: {}, unset: [{ attribute: "industry", verified: true }] };
    const text = JSON.stringify({ ...JSON.parse(body.text), attributes: "HERE", companies: [company] });
    body.text = text.replace('"HERE"', '{"seats":{"value":9007199254740993,"verified":true},"rate":{"value":1.0,"verified":false}}');
    await route.fulfill({ response: answer, json: body });
  });
  await tab.goto(`${url}/#/${await partial(url)}`);
  const row = (name) => tab.getByRole("row").filter({ has: tab.getByRole("rowheader", { name, exact: true }) });
  for (const [name, ...parts] of [["seats", "9007199254740993", "signed"], ["rate", "1.0", "unsigned"], ["industry", "c1", "unset"]]) {
    const text = await row(name).textContent();
    check(parts.every((part) => text.includes(part)), `${name}: ${text}`);
  }
  const whole = await tab.locator("#json + pre").textContent();
  check(whole.includes('"value": 9007199254740993') && whole.includes('"value": 1.0'), whole);
});

test("a company without a usable id is told by its place", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, "about:blank");
  await tab.route("**/api/v1/verdicts/**", async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    const refused = { ...body.attributes[0], attribute: "companies", company: null, position: 2 };
    await route.fulfill({ response: answer, json: { ...body, attributes: [refused] } });
  });
  await tab.goto(`${url}/#/${await partial(url)}`);
  await tab.locator("#attributes + .scroll td[data-label=Company]").first().getByText("entry 3 of the list", { exact: true }).waitFor();
});

test("whom a reason concerns is told by the last hour first, where it was in that at all", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, "about:blank");
  const answer = await (await fetch(`${url}/api/v1/reasons`)).json();
  const organizations = [{ organization: "acme", lastHour: 5, total: 41 }, { organization: "globex", lastHour: 0, total: 1_234 }];
  await tab.route("**/api/v1/reasons", (route) => route.fulfill({ json: { ...answer, reasons: [{ ...answer.reasons[0], organizations }] } }));
  await tab.goto(`${url}/#/rejections`);
  await tab.getByText("5 in the last hour, 41 in all", { exact: true }).waitFor();
  await tab.getByText("1,234 in all", { exact: true }).waitFor();
});

test("nothing is called most frequent of an hour in which nothing was refused", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, "about:blank");
  const answer = await (await fetch(`${url}/api/v1/overview`)).json();
  const quiet = (recent) => ({ ...recent, lastHour: 0 });
  const { accepted, partial: some, rejected } = answer.outcomes;
  const told = { outcomes: { accepted, partial: quiet(some), rejected }, problems: answer.problems };
  await tab.route("**/api/v1/overview", (route) => route.fulfill({ json: { ...answer, ...told } }));
  await tab.goto(`${url}/`);
  await tab.getByText(/events were rejected and 0 in part, most often/).waitFor();
  told.outcomes.rejected = quiet(rejected);
  told.problems = answer.problems.map((problem) => ({ ...problem, verdicts: quiet(problem.verdicts) }));
  await tab.getByText("events were rejected and").waitFor({ state: "hidden" });
  check(await tab.getByRole("heading", { name: "What is being rejected" }).isVisible(), "the rest is there");
});

test("without any verdict the page says what to do", async ({ open }) => {
  const quiet = await dev("--no-traffic");
  try {
    const { page: tab } = await open({ viewport: WIDE }, `${quiet.url}/`);
    await tab.getByText("No verdicts yet").waitFor();
    await tab.getByText("attrsync traffic").first().waitFor();
    await tab.getByText("No verdict was read yet.").waitFor();
    await tab.screenshot({ path: join(shots, "begin-wide-light.png") });
  } finally {
    await quiet.stop();
  }
});

test("on paper there are no controls and nothing is cut off", async ({ open, url }) => {
  const { page: tab } = await open({ viewport: WIDE }, `${url}/#/${await partial(url)}`);
  await tab.getByRole("heading", { name: "The event" }).waitFor();
  await tab.emulateMedia({ media: "print" });
  check(!(await tab.locator(".top nav").isVisible()) && !(await tab.getByRole("button").first().isVisible()), "controls are for the screen");
  const cut = await tab.evaluate(() => [...document.querySelectorAll("pre")].filter((pre) => pre.scrollHeight > pre.clientHeight + 1).length);
  check(cut === 0, `${cut} texts are cut off`);
});

test("a token is asked for, and a cluster that is away is said", async ({ open }) => {
  const token = "0123456789abcdef0123456789abcdef";
  const alone = await dashboardAlone(token);
  try {
    const { page: tab } = await open({ viewport: WIDE }, `${alone.url}/`);
    await tab.getByLabel("Token").fill("guessed");
    await tab.keyboard.press("Enter");
    await tab.getByText("That is not the token").waitFor();
    await tab.screenshot({ path: join(shots, "token-wide-light.png") });
    await tab.reload();
    await tab.getByLabel("Token").fill(`“${token}”`);
    await tab.keyboard.press("Enter");
    await tab.getByText("That is not the token").waitFor();
    await tab.getByLabel("Token").fill(` ${token}\t`);
    await tab.keyboard.press("Enter");
    await tab.getByText("Trouble").waitFor();
    await tab.getByText("The verdicts can't be read: no broker answers: ").waitFor();
    await tab.getByText("No verdict was read yet.").waitFor();
    await tab.screenshot({ path: join(shots, "trouble-wide-light.png") });
    check((await tab.evaluate(() => document.cookie)) === "", "scripts can't read the cookie");
    await tab.reload();
    await tab.getByText("Trouble").waitFor();
  } finally {
    await alone.stop();
  }
});

test("every view fits 320, 360 and 1600 pixels, light and dark", async ({ open, url }) => {
  const { verdicts } = await (await fetch(`${url}/api/v1/verdicts?verdict=partial`)).json();
  const { topic, partition, offset } = verdicts[0].source;
  const views = [["overview", ""], ["rejections", "rejections"], ["verdicts", "verdicts"], ["verdict", `verdict/${topic}/${partition}/${offset}`],
    ["organizations", "organizations"], ["organization", "organization/acme"]];
  for (const [size, viewport] of SIZES) {
    for (const colorScheme of ["light", "dark"]) {
      const { page: tab, close } = await open({ viewport, colorScheme, reducedMotion: "reduce" });
      for (const [name, path] of views) {
        await tab.goto(`${url}/#/${path}`);
        await tab.locator(".view tbody tr").first().waitFor();
        const over = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        check(over <= 0, `${name} at ${viewport.width} is ${over} px too wide`);
        await tab.screenshot({ path: join(shots, `${name}-${size}-${colorScheme}.png`), fullPage: size !== "wide" || name !== "verdicts" });
      }
      await close();
    }
  }
});

test("figures of eight digits fit their cards, each on one line", async ({ open, url }) => {
  const most = { accepted: 98_765_432, partial: 8_765_432, rejected: 12_345_678 };
  const large = async (path) => {
    const answer = await (await fetch(url + path)).json();
    const outcomes = Object.fromEntries(Object.entries(answer.outcomes).map(([name, one]) => [name, { ...one, lastHour: most[name] }]));
    return { ...answer, outcomes, lag: answer.lag && { ...answer.lag, records: 87_654_321 } };
  };
  const paths = ["/api/v1/overview", "/api/v1/organizations/acme"];
  const routes = await Promise.all(paths.map(async (path) => [path, await large(path)]));
  for (const viewport of [NARROWEST, NARROW, { width: 480, height: 760 }, { width: 700, height: 760 }]) {
    const { page: tab } = await open({ viewport }, "about:blank");
    for (const [path, json] of routes) await tab.route(`**${path}`, (route) => route.fulfill({ json }));
    for (const [name, path] of [["overview", ""], ["organization", "organization/acme"]]) {
      await tab.goto(`${url}/#/${path}`);
      await tab.locator(".figure").getByText("98,765,432").waitFor();
      const found = await tab.evaluate(() => {
        const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        const lines = (dd) => {
          const range = document.createRange();
          range.selectNode(dd.firstChild);
          return range.getClientRects().length;
        };
        const figures = [...document.querySelectorAll(".figure dd")];
        return { over, cut: figures.filter((dd) => dd.scrollWidth > dd.clientWidth || lines(dd) !== 1).map((dd) => dd.textContent) };
      });
      check(found.over <= 0 && found.cut.length === 0, `${name} at ${viewport.width}: ${JSON.stringify(found)}`);
      await tab.screenshot({ path: join(shots, `figures-${name}-${viewport.width}.png`) });
    }
  }
});

test("the page of what changes fits 360 and 1600 pixels, light and dark, and runs nothing", async ({ launched }) => {
  const file = changesPage(HOSTILE);
  for (const [size, viewport] of [["wide", WIDE], ["narrow", NARROW]]) {
    for (const colorScheme of ["light", "dark"]) {
      const { page: tab, complaints, close } = await page(launched, file, { viewport, colorScheme });
      await tab.goto(file);
      await tab.getByRole("heading", { name: "By organization" }).waitFor();
      await tab.getByText("accepted", { exact: true }).first().waitFor();
      await tab.locator("tbody details").first().click();
      await tab.getByText("attrsync explain").first().waitFor();
      await tab.getByText("onerror=alert(1)").first().waitFor();
      const over = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      check(over <= 0, `at ${viewport.width} it is ${over} px too wide`);
      const weak = await tab.evaluate(contrasts);
      check(weak.length === 0, `${colorScheme}: ${weak.join("; ")}`);
      check((await tab.locator("script, img, iframe, [onerror]").count()) === 0, "names stay text");
      check(complaints.length === 0, `no complaints: ${complaints}`);
      await tab.screenshot({ path: join(shots, `changes-${size}-${colorScheme}.png`), fullPage: true });
      await close();
    }
  }
});

/** The address of the newest partial verdict, within the page. */
async function partial(url) {
  const { verdicts } = await (await fetch(`${url}/api/v1/verdicts?verdict=partial`)).json();
  const { topic, partition, offset } = verdicts[0].source;
  return `verdict/${topic}/${partition}/${offset}`;
}

/** The text of what has the focus. */
const focused = (tab) => tab.evaluate(() => document.activeElement.textContent.trim());

/** The value of a figure. */
const figure = (tab, name) => tab.locator(`.figure.${name.toLowerCase()} dd`).evaluate((element) => element.firstChild.textContent);

/** The contrast of two of the page's colours. */
function contrast(names) {
  const style = getComputedStyle(document.documentElement);
  const luminance = (name) => style.getPropertyValue(name).trim().slice(1).replace(/^(.)(.)(.)$/, "$1$1$2$2$3$3").match(/../g)
    .map((digits) => parseInt(digits, 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const [one, other] = names.map(luminance).sort((a, b) => b - a);
  return (one + 0.05) / (other + 0.05);
}

/** Texts whose contrast is below what WCAG 2.2 AA asks for. */
function contrasts() {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba("white");
  };
  const found = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!text || !element.checkVisibility()) continue;
    const [one, other] = [luminance(rgba(getComputedStyle(element).color)), luminance(ground(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) found.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...found];
}

const running = await dev("--rate", "150");
const chromium = await browser();
const opened = [];
const open = async (options, path = `${running.url}/`) => {
  const made = await page(chromium.launched, running.url, options);
  opened.push(made);
  if (path !== "about:blank") await made.page.goto(path);
  return made;
};
let failed = 0;
try {
  // The figures of a few seconds, so that every kind of event has come.
  await eventually("sixty verdicts are partial", async () => {
    const answer = await fetch(`${running.url}/api/v1/overview`, { signal: AbortSignal.timeout(10_000) });
    return (await answer.json()).outcomes.partial.total >= 60;
  });
  for (const [name, run] of tests) {
    try {
      await run({ open, url: running.url, launched: chromium.launched });
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n        ${error.message.split("\n").slice(0, 6).join("\n        ")}`);
      await opened.at(-1)?.page.screenshot({ path: join(shots, `failed-${failed}.png`) }).catch(() => {});
    }
    for (const made of opened.splice(0)) await made.close();
  }
} finally {
  await chromium.close();
  await running.stop();
}
console.log(`${tests.length - failed} passed, ${failed} failed; screenshots in target/screenshots`);
process.exit(failed ? 1 : 0);
