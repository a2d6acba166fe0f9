import assert from "node:assert/strict";
import { test } from "node:test";
import { toGrid } from "./grid.ts";

test("few points stand where they are, and a curve without a point there has a gap", () => {
  const curves = toGrid(
    [
      { id: "a", x: [0, 2], values: [1, 3] },
      { id: "b", x: [1, 2], values: [5, 6] },
    ],
    10,
  );
  assert.deepEqual(curves.x, [0, 1, 2]);
  assert.deepEqual(curves.lines[0]?.last, [1, undefined, 3]);
  assert.deepEqual(curves.lines[1]?.last, [undefined, 5, 6]);
  assert.equal(curves.bucketed, false);
});

test("many points become buckets that keep the last, the lowest and the highest", () => {
  const x = Array.from({ length: 1000 }, (_, step) => step);
  const curves = toGrid([{ id: "a", x, values: x.map((step) => (step === 505 ? 9999 : step)) }], 10);
  assert.equal(curves.x.length, 10);
  assert.equal(curves.bucketed, true);
  assert.equal(curves.lines[0]?.max[5], 9999);
  assert.equal(curves.lines[0]?.min[0], 0);
  assert.equal(curves.lines[0]?.last[9], 999);
});

test("what is not finite is a mark, and a gap only where nothing else is in the bucket", () => {
  const { lines } = toGrid([{ id: "a", x: [0, 1, 1, 2], values: ["NaN", "Infinity", 4, "-Infinity"] }], 10);
  assert.deepEqual(lines[0]?.last, [null, 4, null]);
  assert.deepEqual(
    lines[0]?.marks.map((each) => `${each.x} ${each.kind}`),
    ["0 NaN", "1 Infinity", "2 -Infinity"],
  );
});

test("points out of order are put in order; no points and one point are curves too", () => {
  assert.deepEqual(toGrid([{ id: "a", x: [2, 1], values: [20, 10] }], 10).lines[0]?.last, [10, 20]);
  assert.deepEqual(toGrid([{ id: "a", x: [], values: [] }], 10), {
    x: [],
    lines: [{ id: "a", last: [], min: [], max: [], marks: [] }],
    bucketed: false,
    shown: 0,
  });
  assert.deepEqual(toGrid([{ id: "a", x: [7], values: [1] }], 10).x, [7]);
});
