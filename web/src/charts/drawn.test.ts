import assert from "node:assert/strict";
import { test } from "node:test";
import { draw } from "./drawn.ts";
import { toGrid } from "./grid.ts";
import { settingsOf } from "./settings.ts";

const curves = (values: (number | "NaN")[]) => toGrid([{ id: "a", x: values.map((_, at) => at), values }], 1000);
const look = settingsOf({});

test("a smoothed curve has its values behind it", () => {
  const { lines } = draw(curves([1, 3]), settingsOf({ "chart-smooth": "ema:0.5" }));
  assert.deepEqual(lines[0]?.raw, [1, 3]);
  assert.notDeepEqual(lines[0]?.main, [1, 3]);
  assert.equal(draw(curves([1, 3]), look).lines[0]?.raw, undefined);
});

test("a logarithmic axis says how many values it cannot show", () => {
  const y = draw(curves([0, -1, 5]), { ...look, logY: true });
  assert.equal(y.hidden, 2);
  assert.deepEqual(y.lines[0]?.main, [null, null, 5]);
  const x = draw(curves([7, 8]), { ...look, logX: true });
  assert.deepEqual([x.x, x.hidden, x.lines[0]?.main], [[1], 1, [8]]);
});

test("an outlier does not set y if it is left out", () => {
  const values = Array.from({ length: 300 }, (_, at) => (at === 150 ? 1e9 : at % 10));
  assert.ok(draw(curves(values), look).y[1] > 1e9);
  assert.ok(draw(curves(values), { ...look, outliers: false }).y[1] < 20);
});

test("one value, equal values and no value have a range", () => {
  for (const values of [[3], [3, 3], [0], [], ["NaN" as const]]) {
    for (const logY of [false, true]) {
      const [low, high] = draw(curves(values), { ...look, logY }).y;
      assert.ok(low < high && Number.isFinite(low) && Number.isFinite(high), `${values} ${logY}`);
    }
  }
});

test("a band is drawn where buckets hold several points", () => {
  const points = [{ id: "a", x: [0, 1, 2, 3], values: [0, 5, 1, 2] }];
  assert.equal(draw(toGrid(points, 10), look).lines[0]?.band, undefined);
  assert.deepEqual(draw(toGrid(points, 2), look).lines[0]?.band, { min: [0, 1], max: [5, 2] });
});
