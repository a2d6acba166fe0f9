import assert from "node:assert/strict";
import { test } from "node:test";
import { curvesOf, type GridCurve, merged, pairsOf } from "./from-api.ts";

const curve = (changes: Partial<GridCurve>): GridCurve => ({
  last: [],
  min: [],
  max: [],
  count: [],
  nan: [],
  total: 0,
  ...changes,
});
const a = curve({
  last: [1, null, null, 4],
  min: [1, null, null, 3],
  max: [1, null, null, 5],
  count: [1, 0, 2, 3],
  nan: [0, 0, 2, 1],
});

test("empty buckets are left out; NaN alone is a gap with a mark, beside numbers only a mark", () => {
  const curves = curvesOf({ x: [0, 1000, 2000, 3000], curves: { a } }, ["a", "without"], 1000);
  assert.deepEqual(curves, {
    x: [0, 2, 3],
    bucketed: true,
    shown: 6,
    lines: [
      {
        id: "a",
        last: [1, null, 4],
        min: [1, null, 3],
        max: [1, null, 5],
        marks: [
          { x: 2, kind: "NaN" },
          { x: 3, kind: "NaN" },
        ],
      },
    ],
  });
});

test("an infinity is a mark, and the band goes to the finite values", () => {
  const b = curve({ last: [2], min: [1], max: ["Infinity"], count: [3], nan: [0] });
  const [line] = curvesOf({ x: [0], curves: { b } }, ["b"], 1).lines;
  assert.deepEqual([line?.last, line?.max, line?.marks], [[2], [2], [{ x: 0, kind: "Infinity" }]]);
});

test("over another metric a bucket that has both is a point", () => {
  const x = curve({ last: [0.5, 0.4, "NaN", 0.2], count: [1, 1, 1, 1], nan: [0, 0, 1, 0] });
  const points = pairsOf({ x: [0, 1, 2, 3], curves: { a } }, { x: [0, 1, 2, 3], curves: { a: x } }, ["a"]);
  assert.deepEqual(points, [{ id: "a", x: [0.5, 0.2], values: [1, 4] }]);
});

test("grids of several experiments are one", () => {
  const one = curvesOf(
    { x: [0, 2], curves: { a: curve({ last: [1, 2], min: [1, 2], max: [1, 2], count: [1, 1], nan: [0, 0] }) } },
    ["a"],
    1,
  );
  const other = curvesOf(
    { x: [1, 2], curves: { b: curve({ last: [5, 6], min: [5, 6], max: [5, 6], count: [1, 1], nan: [0, 0] }) } },
    ["b"],
    1,
  );
  const all = merged([one, other]);
  assert.deepEqual(all.x, [0, 1, 2]);
  assert.deepEqual(
    all.lines.map((each) => each.last),
    [
      [1, undefined, 2],
      [undefined, 5, 6],
    ],
  );
  assert.equal(merged([one]), one);
});
