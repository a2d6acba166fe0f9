import assert from "node:assert/strict";
import { test } from "node:test";
import { scrolledTo, shownRows } from "./rows-on-screen.ts";

test("pinned rows stay while the others scroll", () => {
  assert.deepEqual(shownRows(1002, 2, { top: 0, height: 366 }), { stuck: 2, span: { first: 2, end: 22 } });
  assert.deepEqual(shownRows(1002, 2, { top: 3200, height: 366 }), { stuck: 2, span: { first: 94, end: 122 } });
});

test("many pinned rows leave half of the table to the others", () => {
  const { stuck, span } = shownRows(120, 20, { top: 0, height: 366 });
  assert.equal(stuck, 5);
  assert.equal(span.first, 20);
  // The 15 further pinned rows scroll away first.
  assert.equal(shownRows(120, 20, { top: 15 * 32, height: 366 }).span.first, 20);
});

test("a line comes into sight below the pinned rows, or above the lower edge", () => {
  const screen = { top: 320, height: 366 };
  assert.equal(scrolledTo(0, 2, screen), 320);
  assert.equal(scrolledTo(15, 2, screen), 320);
  assert.equal(scrolledTo(11, 2, screen), 9 * 32);
  assert.equal(scrolledTo(40, 2, screen), 41 * 32 + 46 - 366);
});
