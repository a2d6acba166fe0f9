import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf, histogramOf } from "./histogram.ts";

test("a histogram is read, and other JSON is not", () => {
  const text = '{"kind": "histogram", "edges": [0, 1, 3], "counts": [2, 2], "not_finite": 1}';
  assert.deepEqual(histogramOf(text), { edges: [0, 1, 3], counts: [2, 2], notFinite: 1 });
  for (const other of [
    "no JSON",
    "null",
    '{"edges": [0, 1], "counts": [2]}',
    '{"kind": "histogram", "edges": [0], "counts": [2]}',
    '{"kind": "histogram", "edges": [1, 0], "counts": [2]}',
    '{"kind": "histogram", "edges": [0, "1"], "counts": [2]}',
    '{"kind": "histogram", "edges": [0, 1], "counts": [-2]}',
  ]) {
    assert.equal(histogramOf(other), undefined, other);
  }
});

test("the areas of the bars are as the counts", () => {
  const bars = barsOf({ edges: [0, 1, 3], counts: [2, 2], notFinite: 0 });
  const [first, second] = bars.map((each) => each.width * each.height);
  assert.ok(Math.abs((first ?? 0) - (second ?? 1)) < 1e-12);
  assert.deepEqual([bars[0]?.height, bars[1]?.x], [1, 1 / 3]);
});

test("an empty histogram and one of the widest range have bars of no infinite size", () => {
  const widest = Number.MAX_VALUE;
  for (const counts of [
    [0, 0],
    [1, 2],
  ]) {
    for (const bar of barsOf({ edges: [-widest / 2, 0, widest / 2], counts, notFinite: 0 })) {
      assert.ok([bar.x, bar.y, bar.width, bar.height].every((each) => each >= 0 && each <= 1));
    }
  }
});
