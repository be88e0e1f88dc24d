// A line chart with logarithmic axes, readable on light and on dark ground.

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 88;
const RIGHT = 44;
const TOP = 56;
const BOTTOM = 56;

const COLOURS = [
  ["#0b6bcb", "#58a6ff"],
  ["#b35900", "#f0883e"],
  ["#1a7f37", "#3fb950"],
  ["#8250df", "#bc8cff"],
];

const STYLE = [
  "text { font: 13px system-ui, sans-serif; fill: #1f2328; }",
  ".title { font-weight: 600; font-size: 15px; }",
  ".grid { stroke: #d1d9e0; stroke-width: 1; }",
  "polyline { fill: none; stroke-width: 2.5; }",
  ...COLOURS.map(([light], n) => `.s${n} { stroke: ${light}; } .d${n} { fill: ${light}; }`),
  "@media (prefers-color-scheme: dark) {",
  "text { fill: #f0f6fc; } .grid { stroke: #3d444d; }",
  ...COLOURS.map(([, dark], n) => `.s${n} { stroke: ${dark}; } .d${n} { fill: ${dark}; }`),
  "}",
].join("\n");

/**
 * A chart of lines, `{ name, points: [[x, y], …] }`; `tick` says how a number of the upright axis is
 * written.
 */
export function chart({ title, across, up, lines, tick }) {
  const all = lines.flatMap(({ points }) => points);
  const x = axis(
    all.map(([number]) => number),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = axis(
    all.map(([, number]) => number),
    HEIGHT - BOTTOM,
    TOP + 24 * lines.length,
  );
  const parts = [
    text(LEFT, 24, title, "title"),
    ...x.ticks.map((number) => text(x.at(number), HEIGHT - 34, count(number), "", "middle")),
    ...y.ticks.map((number) => text(LEFT - 8, y.at(number) + 4, tick(number), "", "end")),
    ...y.ticks.map((number) => rule(LEFT, y.at(number), WIDTH - RIGHT, y.at(number))),
    text((LEFT + WIDTH) / 2, HEIGHT - 12, across, "", "middle"),
    text(LEFT, 44, up),
    ...lines.flatMap((line, n) => drawn(line, n, x, y)),
  ];
  const size = `viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escaped(title)}">`,
    `<style>\n${STYLE}\n</style>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

/** Powers of ten from the smallest to the largest, and where a number lies between two ends. */
function axis(numbers, from, to) {
  const low = Math.floor(Math.log10(Math.min(...numbers)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...numbers)) - 1e-9));
  const ticks = Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step));
  const at = (number) => from + ((Math.log10(number) - low) / (high - low)) * (to - from);
  return { ticks, at: (number) => Number(at(number).toFixed(1)) };
}

function drawn({ name, points }, n, x, y) {
  const corners = points.map(([across, up]) => [x.at(across), y.at(up)]);
  const legend = 62 + 20 * n;
  return [
    `<polyline class="s${n}" points="${corners.map((corner) => corner.join(",")).join(" ")}"/>`,
    ...corners.map(([cx, cy]) => `<circle class="d${n}" cx="${cx}" cy="${cy}" r="4"/>`),
    `<circle class="d${n}" cx="${LEFT + 8}" cy="${legend}" r="4"/>`,
    text(LEFT + 20, legend + 4, name),
  ];
}

const text = (x, y, words, name = "", anchor = "start") =>
  `<text x="${x}" y="${y}" class="${name}" text-anchor="${anchor}">${escaped(words)}</text>`;

const rule = (x1, y1, x2, y2) => `<line class="grid" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;

const count = (number) => number.toLocaleString("en");

const escaped = (words) =>
  words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
