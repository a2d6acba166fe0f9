import assert from "node:assert/strict";
import { test } from "node:test";
import { dimensionOf } from "./dimension.ts";
import { narrowed } from "./narrowed.ts";

const lr = dimensionOf("parameters.lr", ["0.1", null, "0.001"]);
const sweep = { ids: ["a", "b", "c"], names: ["A", "B", "C"], dimensions: new Map([[lr.name, lr]]) };

test("only the selected stay, and the axes fit them", () => {
  const found = narrowed(sweep, ["c", "b", "gone"]);
  assert.deepEqual(found.ids, ["b", "c"]);
  assert.deepEqual(found.names, ["B", "C"]);
  assert.deepEqual(found.dimensions.get("parameters.lr")?.values, [undefined, 0.001]);
  assert.deepEqual(found.dimensions.get("parameters.lr")?.range, [0.001, 0.001]);
});

test("without a selection all stay", () => {
  assert.equal(narrowed(sweep, []), sweep);
});
