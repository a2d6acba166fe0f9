import assert from "node:assert/strict";
import { test } from "node:test";
import { byKey, includes } from "./find.ts";

test("a search finds all its words in any of the texts", () => {
  assert.ok(includes("", "anything"));
  assert.ok(includes(" LOSS  train", "train/loss", "0.1"));
  assert.ok(includes("lr 0.1", "lr", "0.1"));
  assert.ok(!includes("loss valid", "train/loss"));
});

test("keys sort by their numbers", () => {
  assert.deepEqual(["layer10", "layer2", "a"].toSorted(byKey), ["a", "layer2", "layer10"]);
});
