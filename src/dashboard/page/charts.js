// The chart of verdicts over time, by uPlot. Rejected stands at the bottom: that is what has to be seen. The numbers stand in words
// beside it, for whoever can't see it.

import uPlot from "./vendor/uPlot.esm.js";
import { clockTime, count, exactTime } from "./format.js";

const charts = new WeakMap();
const all = new Set();
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
  // With its scales anew: what was told says how far the last bar reaches.
  chart.setData(stacked, true);
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
  return chart;
}

/** What stands under the pointer, in the line above the chart. */
function readOut(element, chart) {
  const line = element.parentElement?.querySelector("[data-keep=readout]");
  if (!line || !chart.told) return;
  const at = chart.cursor.idx;
  if (at === null || at === undefined) {
    line.textContent = "";
    return;
  }
  const { from, step } = chart.told;
  const each = LAYERS.map((name) => `${count(chart.told[name][at] ?? 0)} ${name}`);
  line.textContent = `${exactTime(from + at * step)}: ${each.join(", ")}`;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => all.forEach((chart) => chart.redraw(false)));
