import assert from "node:assert/strict";
import { test } from "node:test";
import { importanceOf, spearman } from "./importance.ts";

const COUNT = 120;
const rows = [...Array(COUNT).keys()];
const lr = rows.map((row) => (row * 7) % 11);
const optimizer = rows.map((row) => (row % 3 === 0 ? "adam" : "sgd"));
const seed = rows.map((row) => (row * 31) % 17);

test("the parameter that sets the metric is first, and one without effect is last", () => {
  const target = rows.map((row) => 10 * (lr[row] as number) + (optimizer[row] === "adam" ? 8 : 0));
  const { importances, explained, count } = importanceOf(
    [
      { name: "seed", values: seed },
      { name: "optimizer", values: optimizer },
      { name: "lr", values: lr },
    ],
    target,
  );
  assert.equal(importances[0]?.name, "lr");
  assert.ok((importances[0]?.importance ?? 0) > 1);
  assert.ok((importances.find((each) => each.name === "seed")?.importance ?? 1) < 0.1);
  assert.ok(explained > 0.8 && explained <= 1);
  assert.equal(count, COUNT);
});

test("texts count by equality, and a valley counts though it has no correlation", () => {
  const { importances } = importanceOf(
    [
      { name: "lr", values: lr },
      { name: "optimizer", values: optimizer },
    ],
    rows.map((row) => ((lr[row] as number) - 5) ** 2),
  );
  assert.equal(importances[0]?.name, "lr");
  assert.ok(Math.abs(importances[0]?.correlation ?? 1) < 0.1);
  assert.equal(importances[1]?.correlation, undefined);
});

test("the same iterations give the same answer, and missing or equal values give one too", () => {
  const features = [
    { name: "a", values: rows.map((row) => (row % 2 ? undefined : row)) },
    { name: "b", values: rows.map(() => 1) },
  ];
  const first = importanceOf(features, rows);
  assert.deepEqual(importanceOf(features, rows), first);
  assert.equal(first.importances.find((each) => each.name === "b")?.importance, 0);
  for (const each of importanceOf(
    features,
    rows.map(() => 3),
  ).importances)
    assert.equal(each.importance, 0);
});

test("a rank correlation is 1 for what rises together, and shares the ranks of equal values", () => {
  assert.equal(spearman([1, 10, 100], [2, 3, 50]), 1);
  assert.equal(spearman([3, 2, 1], [1, 2, 3]), -1);
  assert.equal(spearman([1, 1, 1], [1, 2, 3]), undefined);
  assert.ok(Math.abs((spearman([1, 1, 2, 2], [1, 2, 3, 4]) ?? 0) - 0.894) < 0.001);
});
