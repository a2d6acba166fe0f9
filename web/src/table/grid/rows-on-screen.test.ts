import assert from "node:assert/strict";
import { test } from "node:test";
import { ROW_HEIGHT, scrolledTo, shownRows } from "./rows-on-screen.ts";

test("pinned rows stay while the others scroll", () => {
  assert.deepEqual(shownRows(1002, 2, { top: 0, height: 366 }), { stuck: 2, span: { first: 2, end: 21 } });
  assert.deepEqual(shownRows(1002, 2, { top: 3600, height: 366 }), { stuck: 2, span: { first: 94, end: 121 } });
});

test("many pinned rows leave half of the table to the others", () => {
  const { stuck, span } = shownRows(120, 20, { top: 0, height: 366 });
  assert.equal(stuck, 4);
  assert.equal(span.first, 20);
  // The 16 further pinned rows scroll away first.
  assert.equal(shownRows(120, 20, { top: 16 * ROW_HEIGHT, height: 366 }).span.first, 20);
});

test("a line comes into sight below the pinned rows, or above the lower edge", () => {
  const screen = { top: 360, height: 366 };
  assert.equal(scrolledTo(0, 2, screen), 360);
  assert.equal(scrolledTo(14, 2, screen), 360);
  assert.equal(scrolledTo(11, 2, screen), 9 * ROW_HEIGHT);
  assert.equal(scrolledTo(40, 2, screen), 41 * ROW_HEIGHT + 46 - 366);
});
