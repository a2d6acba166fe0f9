import assert from "node:assert/strict";
import { test } from "node:test";
import { csvOf } from "./csv.ts";
import { toGrid } from "./grid.ts";

test("a CSV has a row for each x, and cells that are empty where a curve has no point", () => {
  const curves = toGrid(
    [
      { id: "a", x: [0, 1], values: [0.5, "NaN"] },
      { id: "b", x: [1], values: [2] },
    ],
    10,
  );
  const names: Record<string, string> = { a: 'say "hi", you', b: "=1+1" };
  assert.equal(
    csvOf(curves, "step", (id) => names[id] ?? id),
    'step,"say ""hi"", you",\'=1+1\r\n0,0.5,\r\n1,NaN,2\r\n',
  );
});

test("buckets have their minimum and maximum too", () => {
  const curves = toGrid([{ id: "a", x: [0, 1, 2, 3], values: [0, 5, 1, 2] }], 2);
  assert.match(
    csvOf(curves, "step", () => "a"),
    /^step,a,a min,a max\r\n[\d.]+,5,0,5\r\n/,
  );
});
