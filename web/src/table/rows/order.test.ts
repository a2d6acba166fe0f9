import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOfIds } from "../columns/columns.ts";
import type { MetricValue, Row } from "./model.ts";
import { reordered } from "./order.ts";
import { row } from "./testing.ts";

const [loss, lr, status] = columnsOfIds(["m:loss", "p:lr", "status"], []) as [never, never, never];
const of = (id: string, last?: MetricValue) => row(id, { metrics: last === undefined ? {} : { loss: { last } } });
const ids = (rows: readonly Row[]) => rows.map((each) => each.id).join("");

test("a row with another value moves to its place, and the others keep theirs", () => {
  const before = [of("a", 1), of("b", 2), of("c", 3), of("d", "NaN"), of("e")];
  const change = (id: string, last: MetricValue) => before.map((each) => (each.id === id ? of(id, last) : each));
  assert.equal(ids(reordered(change("a", 2.5), before, { column: loss, isDown: false })), "bacde");
  assert.equal(ids(reordered(change("e", "Infinity"), before, { column: loss, isDown: false })), "abced");
  assert.equal(ids(reordered(change("a", "NaN"), before, { column: loss, isDown: false })), "bcade");
  const down = before.slice(0, 3).reverse();
  const better = down.map((each) => (each.id === "a" ? of("a", 9) : each));
  assert.equal(ids(reordered(better, down, { column: loss, isDown: true })), "acb");
});

test("rows without another value are the same list, whatever their order", () => {
  const rows = [of("b", 2), of("a", 1)];
  assert.equal(reordered(rows, rows, { column: loss, isDown: false }), rows);
  const renamed = rows.map((each) => ({ ...each, name: "other" }));
  assert.equal(ids(reordered(renamed, rows, { column: loss, isDown: false })), "ba");
});

test("equal values stand in the order of their ids; numbers come before texts", () => {
  const with_ = (id: string, value: string) => row(id, { parameters: { lr: value } });
  const before = [with_("a", "1"), with_("b", "auto"), with_("c", "zero")];
  const after = before.map((each) => (each.id === "c" ? with_("c", "1.0") : each));
  assert.equal(ids(reordered(after, before, { column: lr, isDown: false })), "acb");
  const running = [row("a", { status_id: 1 }), row("b", { status_id: 2 })];
  const ended = [row("a", { status_id: 3 }), row("b", { status_id: 2 })];
  assert.equal(ids(reordered(ended, running, { column: status, isDown: false })), "ba");
});
