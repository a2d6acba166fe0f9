import assert from "node:assert/strict";
import { test } from "node:test";
import { evenly, heatOf } from "./heat.ts";

test("histograms of other ranges share one axis; shares are of the values of a step", () => {
  const wide = { edges: [0, 2, 4], counts: [1, 3], notFinite: 0 };
  const narrow = { edges: [3, 4], counts: [1000], notFinite: 0 };
  const heat = heatOf([
    { step: 0, data: wide },
    { step: 7, data: narrow },
  ]);
  assert.ok(heat);
  assert.deepEqual([heat.low, heat.high, heat.columns.map((each) => each.step)], [0, 4, [0, 7]]);
  const [first, second] = heat.columns.map((each) => each.shares);
  assert.ok(first && second);
  assert.ok(Math.abs((first[39] ?? 0) / (first[0] ?? 1) - 3) < 1e-9);
  assert.deepEqual([second[0], second[29], second[30]], [0, 0, 1]);
  assert.equal(heatOf([]), undefined);
  const huge = { edges: [-1.7e308, 1.7e308], counts: [1], notFinite: 0 };
  assert.ok(heatOf([{ step: 0, data: huge }])?.columns[0]?.shares.every((each) => each === 1));
});

test("some of many steps are the first, the last, and those evenly between", () => {
  assert.deepEqual(evenly([0, 1, 2, 3, 4, 5, 6], 3), [0, 3, 6]);
  assert.deepEqual(evenly([1, 2], 3), [1, 2]);
});
