import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, moved, split, toggled, viewOf, widthsOf, widthsText } from "./settings.ts";

test("a list of ids with any characters comes back", () => {
  for (const ids of [[], ["name"], ["p:a,b", "m:c\\", "l:=,\\,", "m:\u202e 👩‍👧"]])
    assert.deepEqual(split(joined(ids)), ids);
  assert.deepEqual(split(undefined), []);
});

test("widths come back, and absurd ones are left out", () => {
  const widths = new Map([
    ["p:a=b,c", 120],
    ["name", 300],
  ]);
  assert.deepEqual(widthsOf(widthsText(widths)), widths);
  assert.deepEqual(widthsOf("5=name,9999=status,x=notes,nothing"), new Map());
});

test("an element moves among the others and stops at the ends", () => {
  assert.deepEqual(moved(["a", "b", "c"], "b", -1), ["b", "a", "c"]);
  assert.deepEqual(moved(["a", "b", "c"], "b", 5), ["a", "c", "b"]);
  assert.deepEqual(moved(["a"], "x", 1), ["a"]);
  assert.deepEqual(toggled(["a", "b"], "a"), ["b"]);
  assert.deepEqual(toggled(["a"], "b"), ["a", "b"]);
});

test("a view keeps texts of the table alone", () => {
  assert.deepEqual(viewOf({ filter: "a = 1", sort: "", columns: ["lr"], selected: "x", group: undefined }), {
    filter: "a = 1",
  });
});
