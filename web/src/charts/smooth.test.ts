import assert from "node:assert/strict";
import { test } from "node:test";
import { ema, gaussian, mean, smooth } from "./smooth.ts";

const near = (given: number[], wanted: number[]) => {
  assert.equal(given.length, wanted.length);
  for (const [index, each] of wanted.entries()) assert.ok(Math.abs((given[index] as number) - each) < 1e-9);
};

test("an exponential average starts at the first value, not at 0", () => {
  near(ema([10, 10, 10], 0.9), [10, 10, 10]);
  near(ema([1, 3], 0.5), [1, (0.25 * 1 + 0.5 * 3) / 0.75]);
  assert.deepEqual(ema([4, 5], 0), [4, 5]);
});

test("a mean is taken over as many points on either side", () => {
  near(mean([1, 2, 6, 2, 1], 3), [1, 3, 10 / 3, 3, 1]);
  near(mean([5], 9), [5]);
  near(mean([1, 2, 3], 1), [1, 2, 3]);
});

test("a Gaussian keeps a constant, and gives the near points more weight", () => {
  near(gaussian([2, 2, 2, 2], 1.5), [2, 2, 2, 2]);
  const [a, b, c] = gaussian([0, 1, 0], 1) as [number, number, number];
  assert.ok(b > a && Math.abs(a - c) < 1e-12);
  assert.deepEqual(gaussian([1, 5], 0), [1, 5]);
});

test("gaps and values that are not finite stay where they are", () => {
  const values = [1, undefined, null, 3, undefined];
  assert.deepEqual(smooth(values, { method: "mean", amount: 9 }), [1, undefined, null, 3, undefined]);
  assert.deepEqual(smooth(values, { method: "none", amount: 0 }), values);
  assert.deepEqual(smooth([], { method: "gaussian", amount: 2 }), []);
});
