import assert from "node:assert/strict";
import { test } from "node:test";
import { inParts, selected } from "./selection.ts";

const order = ["a", "b", "c", "d"];

test("one row, or all from the anchor to it in either direction", () => {
  assert.deepEqual([...selected(new Set(["a"]), order, "c", true)], ["a", "c"]);
  assert.deepEqual([...selected(new Set(), order, "d", true, "b")], ["b", "c", "d"]);
  assert.deepEqual([...selected(new Set(order), order, "a", false, "c")], ["d"]);
});

test("an anchor that is no longer in the table is none", () => {
  assert.deepEqual([...selected(new Set(), order, "b", true, "gone")], ["b"]);
});

test("parts of a size", () => {
  assert.deepEqual(inParts(order, 3), [["a", "b", "c"], ["d"]]);
  assert.deepEqual(inParts([], 3), []);
});
