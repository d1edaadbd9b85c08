// The chart of verdicts over time, by uPlot. Rejected stands at the bottom: that is what has to be seen. The numbers stand in words
// above it, bar by bar, for the pointer and for the arrow keys alike.

import uPlot from "./vendor/uPlot.esm.js";
import { clockTime, count, exactTime } from "./format.js";

const charts = new WeakMap();
const all = new Set();
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const LAYERS = ["accepted", "partial", "rejected"];
const bars = uPlot.paths.bars({ size: [1, Infinity], align: 1, gap: 1 });

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Shows counts by outcome in this element: `{ from, step, accepted, partial, rejected }`, in milliseconds. */
export function show(element, data) {
  const stacked = stack(data);
  let chart = charts.get(element);
  if (!chart) {
    chart = create(element, stacked);
    charts.set(element, chart);
    all.add(chart);
    for (const gone of all) if (!gone.root.isConnected && gone !== chart) forget(gone);
  }
  chart.told = data;
  // With its scales anew: what was told says how far the last bar reaches. At once, or the cursor would be placed by the old ones.
  chart.batch(() => chart.setData(stacked, true));
  if (chart.chosen !== undefined) choose(chart, Math.floor((chart.chosen - data.from) / data.step));
  element.setAttribute("aria-label", words(data));
}

/** uPlot itself keeps a chart, with its element, until it is destroyed. */
function forget(chart) {
  chart.destroy();
  all.delete(chart);
}

/** Times, and the three layers, the highest first. */
function stack({ from, step, accepted, partial, rejected }) {
  const times = rejected.map((_, at) => (from + at * step) / 1000);
  const middle = rejected.map((value, at) => value + partial[at]);
  return [times, middle.map((value, at) => value + accepted[at]), middle, rejected];
}

function words({ from, step, ...layers }) {
  const sum = (counts) => counts.reduce((total, value) => total + value, 0);
  const each = LAYERS.map((name) => `${count(sum(layers[name]))} ${name}`);
  return `Verdicts since ${exactTime(from)}: ${each.join(", ")}`;
}

function create(element, data) {
  const axis = (more) => ({
    stroke: () => colour("dim"), font: "12px system-ui, sans-serif", ticks: { show: false },
    grid: { stroke: () => colour("line"), width: 1 }, ...more,
  });
  const layer = (name) => ({ label: name, fill: () => colour(name), stroke: () => colour(name), width: 0, paths: bars, points: { show: false } });
  const observer = new ResizeObserver(() => chart.setSize({ width: Math.max(200, element.clientWidth), height: 220 }));
  const chart = new uPlot({
    width: Math.max(200, element.clientWidth), height: 220,
    // A time stands centred below the end of the chart, too.
    padding: [null, 28, null, null],
    legend: { show: false }, cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    // The last bar reaches one step beyond its time.
    scales: { x: { time: true, range: (self, first, last) => [first, last + (self.told?.step ?? 0) / 1000] }, y: { range: (_, __, most) => [0, Math.max(4, most * 1.08)] } },
    axes: [
      axis({ size: 30, space: 80, grid: { show: false }, values: (self, ticks) => ticks.map((tick) => clockTime(tick * 1000, self.told?.step < 60_000)) }),
      axis({ size: 52, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? count(tick) : "")) }),
    ],
    series: [{}, ...LAYERS.map(layer)],
    hooks: { setCursor: [(self) => readOut(element, self)], destroy: [() => observer.disconnect()] },
  }, data, element);
  observer.observe(element);
  element.addEventListener("keydown", (event) => step(chart, event));
  element.addEventListener("pointermove", () => { chart.chosen = undefined; });
  element.addEventListener("blur", () => choose(chart, -1));
  return chart;
}

/** Moves the cursor by one bar: from where it stands, else from the side that the key comes from. */
function step(chart, event) {
  const by = STEPS[event.key];
  if (!by || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const last = chart.data[0].length - 1;
  const at = chart.cursor.idx ?? (by < 0 ? last + 1 : -1);
  choose(chart, Math.min(last, Math.max(0, at + by)));
}

/** Puts the cursor at this bar, where it stays as bars come after it; nowhere, where there is none. */
function choose(chart, at) {
  const there = chart.data[0][at];
  chart.chosen = there === undefined ? undefined : chart.told.from + at * chart.told.step;
  chart.setCursor({ left: there === undefined ? -10 : chart.valToPos(there, "x"), top: 0 });
}

/** What stands under the cursor, in the line above the chart. A screen reader hears what is new of it. */
function readOut(element, chart) {
  const line = element.parentElement?.querySelector("[data-keep=readout]");
  if (!line || !chart.told) return;
  const text = bar(chart.told, chart.cursor.idx);
  if (line.textContent !== text) line.textContent = text;
}

function bar({ from, step, ...layers }, at) {
  if (at === null || at === undefined) return "";
  const each = LAYERS.map((name) => `${count(layers[name][at] ?? 0)} ${name}`);
  return `${exactTime(from + at * step)}: ${each.join(", ")}`;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => all.forEach((chart) => chart.redraw(false)));
