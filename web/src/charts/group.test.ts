import assert from "node:assert/strict";
import { test } from "node:test";
import { toGrid } from "./grid.ts";
import { groupCurves, interpolate } from "./group.ts";

test("a group has its mean, with a deviation on either side", () => {
  const curves = toGrid(
    [
      { id: "a", x: [0, 1], values: [1, 1] },
      { id: "b", x: [0, 1], values: [3, 5] },
      { id: "c", x: [0, 1], values: [9, 9] },
    ],
    10,
  );
  const { lines } = groupCurves(curves, (id) => (id === "c" ? "sgd" : "adam"));
  assert.deepEqual(
    lines.map(({ id, last, min, max }) => ({ id, last, min, max })),
    [
      { id: "adam", last: [2, 3], min: [1, 1], max: [3, 5] },
      { id: "sgd", last: [9, 9], min: [9, 9], max: [9, 9] },
    ],
  );
});

test("a gap inside a curve is a straight line, NaN stays a gap, and nothing is invented at the ends", () => {
  assert.deepEqual(interpolate([undefined, 0, undefined, 10, undefined], [0, 1, 2, 6, 7]), [
    undefined,
    0,
    2,
    10,
    undefined,
  ]);
  assert.deepEqual(interpolate([0, null, 2], [0, 1, 2]), [0, null, 2]);
});
