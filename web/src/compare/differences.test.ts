import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsOf, parametersText } from "./differences.ts";
import type { Compared } from "./read.ts";

function compared(given: Partial<Omit<Compared, "iteration">> & { iteration?: object }): Compared {
  const iteration = { git_sha: "", git_dirty: false, ...given.iteration } as Compared["iteration"];
  return { parameters: {}, metrics: {}, tags: [], ...given, iteration };
}

const summary = (last: number) => ({ first: 0, last, min: 0, max: 9, count: 1, last_step: 1 });

test("what differs is apart from what is equal; an absent value differs from every other", () => {
  const [parameters, metrics, tags, labels, program] = groupsOf([
    compared({
      parameters: { layer10: "a", layer2: "a", lr: "1", only: "" },
      metrics: { loss: summary(1), same: summary(2) },
      tags: ["best"],
      iteration: { labels: { team: "nlp" }, git_sha: "a".repeat(40), git_dirty: true },
    }),
    compared({
      parameters: { layer10: "b", layer2: "b", lr: "1" },
      metrics: { loss: summary(3), same: { ...summary(2), count: 5 } },
      iteration: { labels: { team: "nlp" }, git_sha: "a".repeat(40) },
    }),
  ]);
  const keys = (lines: readonly { key: string }[] | undefined) => lines?.map((each) => each.key);
  assert.deepEqual(keys(parameters?.different), ["layer2", "layer10", "only"]);
  assert.deepEqual(keys(parameters?.equal), ["lr"]);
  assert.deepEqual([keys(metrics?.different), keys(metrics?.equal)], [["loss"], ["same"]]);
  assert.deepEqual(tags?.different[0]?.cells, [{ text: "✓" }, undefined]);
  assert.deepEqual([keys(labels?.different), keys(labels?.equal)], [[], ["team"]]);
  assert.deepEqual(program?.different[0]?.cells, [{ text: `${"a".repeat(12)} + changes` }, { text: "a".repeat(12) }]);
});

test("a key like a property of every object is a key", () => {
  const [parameters] = groupsOf([compared({ parameters: { constructor: "1" } }), compared({})]);
  assert.deepEqual(parameters?.different[0]?.cells, [{ text: "1" }, undefined]);
});

test("parameters as a text are in natural order, a line each", () => {
  assert.equal(parametersText({ b10: "x", b2: "y" }), "b2 = y\nb10 = x\n");
});
