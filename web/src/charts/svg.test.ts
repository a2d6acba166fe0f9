import assert from "node:assert/strict";
import { test } from "node:test";
import { draw } from "./drawn.ts";
import { toGrid } from "./grid.ts";
import { settingsOf } from "./settings.ts";
import { svgOf } from "./svg.ts";

const look = {
  title: "a < b & <script>",
  xTitle: "step",
  xScale: "number" as const,
  logY: false,
  xRange: [0, 3] as const,
  colours: { text: "#000", line: "#ccc", surface: "#fff" },
  colourOf: () => "rgb(1, 2, 3)",
  dashOf: () => [],
  nameOf: (id: string) => id,
};
const svg = (values: (number | "NaN")[], query = {}) =>
  svgOf(draw(toGrid([{ id: "<run>", x: values.map((_, at) => at), values }], 2), settingsOf(query)), look);

test("names are text, not elements", () => {
  const made = svg([1, 2]);
  assert.ok(made.includes("a &lt; b &amp; &lt;script&gt;") && made.includes("&lt;run&gt;"));
  assert.ok(!made.includes("<script>"));
});

test("a chart has its curve, its band, and the values behind a smoothed curve", () => {
  assert.match(svg([1, 5, 2, 3]), /fill-opacity="0.15"/);
  assert.match(svg([1, 5], { "chart-smooth": "mean:3" }), /stroke-opacity="0.3"/);
});

test("no value and one value are charts without NaN in their paths", () => {
  for (const values of [[], ["NaN" as const], [4]]) assert.ok(!/NaN|Infinity|undefined/.test(svg(values)), `${values}`);
  assert.match(svg([4]), /M[\d.]+ [\d.]+h0/);
});
