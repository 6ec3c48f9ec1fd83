// Draws the latency chart of a service's page with uPlot, in place of the server's drawing. Loaded by that page alone.
// What it draws stands in data-plot, {"at": [s since 1970], "p50": [ms or null], …}, which live.js renews with the page.
"use strict";

const place = document.getElementById("latency-plot");
const HEIGHT = 180;
// By dashes as well as by colour. The legend's marks are borders, which know no patterns of their own.
const LINES = [
  { name: "p50", colour: "--info-fill", dash: [], mark: "solid" },
  { name: "p95", colour: "--plan-fill", dash: [8, 4], mark: "dashed" },
  { name: "p99", colour: "--neutral-fill", dash: [2, 3], mark: "dotted" },
];
const dark = matchMedia("(prefers-color-scheme: dark)");
let chart = null;

// As the server writes them.
function took(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
const clock = (at) => new Date(at * 1000).toISOString().slice(11, 16);
const last = (values) => values.findLast((value) => value !== null);

function read() {
  const found = JSON.parse(place.dataset.plot);
  return [found.at, ...LINES.map(({ name }) => found[name])];
}
const known = (data) => data.slice(1).some((values) => values.some((value) => value !== null));
// A value between two gaps is no line; it is a dot.
const alone = (plot, number) => {
  const values = plot.data[number];
  return values.flatMap((value, i) => (value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? [i] : []));
};

function options(width) {
  const style = getComputedStyle(place);
  const colour = (name) => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  const lines = { show: true, stroke: colour("--line"), width: 1 };
  const axis = { stroke: colour("--muted"), font, grid: lines, ticks: lines };
  return {
    width,
    height: HEIGHT,
    tzDate: (at) => window.uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
    legend: { markers: { width: 2, dash: (_, number) => LINES[number - 1].mark } },
    scales: { y: { range: (_, low, high) => [0, (high || 1) * 1.1] } },
    axes: [
      { ...axis, space: 56, values: (_, moments) => moments.map(clock) },
      { ...axis, size: 64, values: (_, values) => values.map((value) => (value ? took(value) : "0")) },
    ],
    series: [
      { label: "UTC", value: (_, at) => (at === null ? "latest" : clock(at)) },
      ...LINES.map(({ name, colour: tone, dash }) => ({
        label: name,
        stroke: colour(tone),
        width: 2,
        dash,
        spanGaps: false,
        points: { show: true, size: 5, width: 1, fill: colour(tone), filter: alone },
        // Without a pointer, what was measured last.
        value: (plot, value, number, i) => took(i === null ? last(plot.data[number]) : value),
      })),
    ],
  };
}

// Anew when there is something to draw for the first time, and when the colours are others.
function draw() {
  chart?.destroy();
  chart = null;
  const data = read();
  if (!known(data)) return;
  const frame = document.createElement("div");
  frame.setAttribute("aria-hidden", "true"); // the label of the place says it, and the table has the numbers
  place.replaceChildren(frame);
  chart = new window.uPlot(options(place.clientWidth), data, frame);
}
function follow() {
  const data = read();
  if (!chart || !known(data)) { place.replaceChildren(); draw(); } else chart.setData(data);
}

if (place) {
  draw();
  new MutationObserver(follow).observe(place, { attributeFilter: ["data-plot"] });
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  dark.addEventListener("change", draw);
  new ResizeObserver(() => {
    const width = place.clientWidth;
    if (chart && width && width !== chart.width) chart.setSize({ width, height: HEIGHT });
  }).observe(place.parentElement);
}
