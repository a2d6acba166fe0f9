import assert from "node:assert/strict";
import { test } from "node:test";
import { COLOURS, colourName, dashOf, Slots } from "./slots.ts";

test("an iteration keeps its colour when others come and go", () => {
  const slots = new Slots();
  slots.assign(["a", "b", "c"]);
  assert.deepEqual([...slots.assign(["b", "c", "d"])].sort(), [
    ["b", 1],
    ["c", 2],
    ["d", 0],
  ]);
});

test("no two of thirty look the same", () => {
  const looks = Array.from({ length: 30 }, (_, slot) => `${colourName(slot)} ${dashOf(slot)}`);
  assert.equal(new Set(looks).size, 30);
  assert.equal(colourName(COLOURS), colourName(0));
});
