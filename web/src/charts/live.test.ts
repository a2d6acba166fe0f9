import assert from "node:assert/strict";
import { test } from "node:test";
import { toGrid } from "./grid.ts";
import { extend, isStale, progressOf, Tails } from "./live.ts";
import type { Row } from "./model.ts";

const row = (count: number, running = true): Row => ({
  id: "a",
  experiment_id: "e",
  name: "a",
  running,
  created_date: "2026-01-01T00:00:00Z",
  metrics: { loss: { count, last: count / 10, last_step: count - 1 } },
});

test("a curve grows by what polls bring", () => {
  const tails = new Tails();
  for (const count of [2, 3, 5]) tails.note(row(count), "loss");
  const curves = toGrid([{ id: "a", x: [0, 1, 2], values: [1, 2, 3] }], 10);
  const grown = extend(curves, (id, step) => tails.after(id, "loss", step));
  assert.deepEqual(
    [grown.x, grown.lines[0]?.last],
    [
      [0, 1, 2, 4],
      [1, 2, 3, 0.5],
    ],
  );
  assert.equal(
    extend(curves, () => []),
    curves,
  );
});

test("a curve is read again when it grew by a tenth, and at its end", () => {
  const read = progressOf([row(100)], "loss");
  assert.equal(isStale(read, [row(109)], "loss"), false);
  assert.equal(isStale(read, [row(111)], "loss"), true);
  assert.equal(isStale(read, [row(101, false)], "loss"), true);
  assert.equal(isStale(read, [row(100, false)], "loss"), false);
  assert.equal(isStale(progressOf([], "loss"), [row(1)], "loss"), true);
  assert.equal(isStale(read, [{ ...row(100), metrics: {} }], "loss"), false);
});
