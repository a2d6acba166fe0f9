import assert from "node:assert/strict";
import { test } from "node:test";
import { moved } from "./moves.ts";

const press = (key: string, line: number, column: number, ctrlKey = false) => {
  const to = moved({ key, ctrlKey }, { line, column }, 100, 5, 10);
  return to && [to.line, to.column];
};

test("arrows move by one cell and stop at the edges", () => {
  assert.deepEqual(press("ArrowDown", 3, 2), [4, 2]);
  assert.deepEqual(press("ArrowDown", 99, 2), [99, 2]);
  assert.deepEqual(press("ArrowUp", 0, 2), [0, 2]);
  assert.deepEqual(press("ArrowRight", 3, 4), [3, 4]);
  assert.deepEqual(press("ArrowLeft", 3, 4), [3, 3]);
});

test("pages, the ends of a row, and those of the table", () => {
  assert.deepEqual(press("PageDown", 3, 2), [13, 2]);
  assert.deepEqual(press("PageUp", 3, 2), [0, 2]);
  assert.deepEqual(press("Home", 3, 2), [3, 0]);
  assert.deepEqual(press("End", 3, 2), [3, 4]);
  assert.deepEqual(press("Home", 3, 2, true), [0, 2]);
  assert.deepEqual(press("End", 3, 2, true), [99, 2]);
  assert.equal(press("a", 3, 2), undefined);
});
