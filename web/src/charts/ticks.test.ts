import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTick, formatX, ticksOf } from "./ticks.ts";

test("ticks are round numbers inside the range", () => {
  assert.deepEqual(ticksOf(0, 97, 5, "number"), [0, 20, 40, 60, 80]);
  assert.deepEqual(
    ticksOf(-0.12, 0.31, 4, "number").map((each) => each.toFixed(1)),
    ["0.0", "0.2"],
  );
  assert.deepEqual(ticksOf(0, 3600, 4, "duration"), [0, 900, 1800, 2700, 3600]);
});

test("a logarithmic axis has powers of ten, and more numbers where it spans less", () => {
  const texts = (low: number, high: number, wanted: number) =>
    ticksOf(low, high, wanted, "log").map((each) => formatTick(each, 1, "log"));
  assert.deepEqual(texts(0.005, 200, 6), ["0.01", "0.1", "1", "10", "100"]);
  assert.deepEqual(texts(0.03, 1.1, 6), ["0.05", "0.1", "0.2", "0.5", "1"]);
  assert.deepEqual(texts(1.1, 2.1, 5), ["1.2", "1.4", "1.6", "1.8", "2"]);
  assert.ok(ticksOf(1e-300, 1e300, 5, "log").length <= 6);
});

test("a tick has the digits that tell it from the next", () => {
  assert.equal(formatTick(0.9705, 0.0005, "number"), "0.9705");
  assert.equal(formatTick(0.75, 0.25, "number"), "0.75");
  assert.equal(formatTick(0.3, 0.1, "number"), "0.3");
  assert.equal(formatTick(-20, 10, "number"), "−20");
  assert.equal(formatTick(0, 0.1, "number"), "0");
  assert.equal(formatTick(2e7, 1e7, "number"), "2e7");
  assert.equal(formatTick(0.001, 1, "log"), "0.001");
  assert.equal(formatTick(5400, 1800, "duration"), "1.5 h");
  assert.equal(formatTick(0, 60, "duration"), "0 s");
});

test("a value of x stands alone", () => {
  assert.equal(formatX(12345, "number"), "12\u2009345");
  assert.equal(formatX(90, "duration"), "1.5 min");
  assert.match(formatX(0, "time"), /1970/);
});
