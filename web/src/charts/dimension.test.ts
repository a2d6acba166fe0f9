import assert from "node:assert/strict";
import { test } from "node:test";
import {
  brushesOf,
  brushText,
  dimensionOf,
  insideOf,
  positionOf,
  ticksOfDimension,
  titleOf,
  valueAtPosition,
} from "./dimension.ts";

test("texts that are all numbers are numbers, far apart ones on a logarithmic axis", () => {
  const lr = dimensionOf("parameters.lr", ["0.1", "0.001", null, "0.01"]);
  assert.deepEqual([lr.scale, lr.label, lr.values], ["log", "lr", [0.1, 0.001, undefined, 0.01]]);
  assert.deepEqual(
    lr.values.map((each) => positionOf(lr, each)?.toFixed(2)),
    ["1.00", "0.00", undefined, "0.50"],
  );
  assert.ok(Math.abs(valueAtPosition(lr, 0.5) - 0.01) < 1e-12);
  assert.equal(dimensionOf("parameters.n", ["1", "2"]).scale, "number");
});

test("other texts are categories; what is not finite is not on the axis of a metric", () => {
  const optimizer = dimensionOf("parameters.opt", ["sgd", "adam", "2"]);
  assert.deepEqual([optimizer.scale, optimizer.categories], ["category", ["2", "adam", "sgd"]]);
  const loss = dimensionOf("metrics.loss", ["NaN", 1, "Infinity", 3]);
  assert.deepEqual([loss.scale, loss.values], ["number", [undefined, 1, undefined, 3]]);
  assert.deepEqual(dimensionOf("metrics.loss", ["NaN"]).values, [undefined]);
});

test("one value and no value have an axis", () => {
  for (const values of [["5"], [], [null], ["a"]]) {
    const dimension = dimensionOf("parameters.x", values);
    for (const { position } of ticksOfDimension(dimension, 5)) assert.ok(position >= 0 && position <= 1);
    assert.equal(positionOf(dimension, dimension.values[0]) ?? 0.5, 0.5);
  }
});

test("brushes come back from their text, and choose iterations", () => {
  const brushes = new Map([["parameters.a b~c", [0.25, 1] as const]]);
  assert.deepEqual(brushesOf(brushText(brushes)), brushes);
  assert.deepEqual(brushesOf("x:2:1 y:a:b %:0:x"), new Map());
  const dimension = dimensionOf("parameters.a b~c", ["0", "1", "2", null]);
  assert.deepEqual(insideOf([dimension], brushes, 4), [false, true, true, false]);
  assert.deepEqual(insideOf([dimension], new Map(), 4), [true, true, true, true]);
});

test("the title of a logarithmic axis says so", () => {
  assert.equal(titleOf(dimensionOf("parameters.lr", ["0.001", "1"])), "lr (log)");
  assert.equal(titleOf(dimensionOf("parameters.lr", ["0.1", "1"])), "lr");
});

test("a parameter with few values has a tick at each that has room", () => {
  const texts = (values: string[], wanted: number) =>
    ticksOfDimension(dimensionOf("parameters.batch", values), wanted).map((each) => each.text);
  assert.deepEqual(texts(["32", "64", "128", "64"], 6), ["32", "64", "128"]);
  assert.deepEqual(texts(["16", "32", "256", "512"], 4), ["16", "256", "512"]);
  assert.deepEqual(texts(["0.1", "0.01", "0.001"], 5), ["0.001", "0.01", "0.1"]);
  const many = Array.from({ length: 40 }, (_, at) => String(at));
  assert.deepEqual(texts(many, 4), ["0", "10", "20", "30"]);
});
