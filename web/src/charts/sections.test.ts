import assert from "node:assert/strict";
import { test } from "node:test";
import { searchKeys, sectionsOf } from "./sections.ts";

test("keys are in sections by prefix, in the order of people, the machine last", () => {
  assert.deepEqual(
    sectionsOf(["system/cpu", "train/loss"]).map((each) => each.prefix),
    ["train", "system"],
  );
  assert.deepEqual(sectionsOf(["train/loss", "lr", "train/layer10", "train/layer2", "/odd"]), [
    { prefix: "", keys: ["/odd", "lr"] },
    { prefix: "train", keys: ["train/layer2", "train/layer10", "train/loss"] },
  ]);
  assert.deepEqual(sectionsOf([]), []);
});

test("a search is a regular expression in any case", () => {
  assert.deepEqual(searchKeys(["Train/Loss", "lr"], "^train|acc").keys, ["Train/Loss"]);
  assert.deepEqual(searchKeys(["a", "b"], "").keys, ["a", "b"]);
});

test("an expression that is none says why", () => {
  const found = searchKeys(["a"], "(");
  assert.deepEqual(found.keys, []);
  assert.match(found.error ?? "", /^Not a regular expression: [A-Z]\w+/);
});
