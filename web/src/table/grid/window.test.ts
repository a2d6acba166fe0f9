import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOnScreen, rowsOnScreen } from "./window.ts";

test("only rows near the screen are there", () => {
  assert.deepEqual(rowsOnScreen(1000, 32, 0, 640, 4), { first: 0, end: 24 });
  assert.deepEqual(rowsOnScreen(1000, 32, 3200, 640, 4), { first: 96, end: 124 });
  assert.deepEqual(rowsOnScreen(1000, 32, 31_360, 640, 4), { first: 976, end: 1000 });
});

test("a table that became shorter than the place it was scrolled to has no rows there", () => {
  assert.deepEqual(rowsOnScreen(3, 32, 3200, 640, 4), { first: 3, end: 3 });
  assert.deepEqual(rowsOnScreen(0, 32, 0, 640), { first: 0, end: 0 });
});

test("only columns near the screen are there", () => {
  const widths = Array.from({ length: 10_000 }, () => 100);
  assert.deepEqual(columnsOnScreen(widths, 0, 800, 200), { first: 0, end: 11 });
  assert.deepEqual(columnsOnScreen(widths, 50_000, 800, 200), { first: 497, end: 511 });
  assert.deepEqual(columnsOnScreen([], 0, 800), { first: 0, end: 0 });
});
