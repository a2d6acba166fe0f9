import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest, valueAt } from "./find.ts";

test("the nearest x is found, also outside of the curve", () => {
  for (const [x, index] of [
    [-5, 0],
    [0.4, 0],
    [0.6, 1],
    [3, 2],
    [99, 3],
  ] as const) {
    assert.equal(nearest([0, 1, 3, 10], x), index, String(x));
  }
  assert.equal(nearest([], 1), -1);
  assert.equal(nearest([4], 1), 0);
});

test("inside a gap the value before it holds, outside of a curve there is none", () => {
  const values = [undefined, 1, undefined, 3, undefined];
  assert.deepEqual(
    values.map((_, at) => valueAt(values, at)),
    [undefined, 1, 1, 3, undefined],
  );
  assert.equal(valueAt([1, null], 1), null);
});
