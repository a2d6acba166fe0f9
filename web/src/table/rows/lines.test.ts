import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOfIds } from "../columns/columns.ts";
import { type Line, linesOf, topOf } from "./lines.ts";
import { deltaOf, statsOf } from "./stats.ts";
import { row } from "./testing.ts";

const columns = columnsOfIds(["p:lr", "p:opt", "m:loss"], []);
const [lr, opt, loss] = columns as [(typeof columns)[0], (typeof columns)[0], (typeof columns)[0]];
const one = (id: string, lr: string, opt: string, last: number | "NaN") =>
  row(id, { parameters: { lr, opt }, metrics: { loss: { last } } });
const rows = [one("a", "1", "adam", 1), one("b", "2", "sgd", 2), one("c", "1", "sgd", 3), one("d", "1", "adam", "NaN")];
const none = { groups: [], open: new Set<string>(), isTree: false, top: [] };
const said = (lines: readonly Line[]) =>
  lines.map(
    (each) => `${" ".repeat(each.depth)}${each.kind === "row" ? each.row.id : `${each.value}:${each.rows.length}`}`,
  );

test("groups of several levels open one by one", () => {
  assert.deepEqual(said(linesOf(rows, { ...none, groups: [lr, opt] })), ["1:3", "2:1"]);
  const open = new Set(["/1", "/1/sgd"]);
  assert.deepEqual(said(linesOf(rows, { ...none, groups: [lr, opt], open })), [
    "1:3",
    " adam:2",
    " sgd:1",
    "  c",
    "2:1",
  ]);
});

test("statistics are of the finite values", () => {
  assert.deepEqual(statsOf(rows, loss), { count: 3, mean: 2, std: 1, min: 1, max: 3 });
  assert.equal(statsOf(rows.slice(3), loss), undefined);
  assert.equal(statsOf(rows.slice(0, 1), loss)?.std, undefined);
});

test("children stand below their parents, and a circle loses no row", () => {
  const child = (id: string, parent: string) => row(id, { parent_iteration_id: parent });
  const family = [child("c", "b"), row("a"), child("b", "a"), child("x", "not here"), child("p", "q"), child("q", "p")];
  assert.deepEqual(said(linesOf(family, { ...none, isTree: true })), ["a", " b", "  c", "x", "p", " q"]);
});

test("pinned rows stand first, and stay in their groups and below their parents", () => {
  const top = topOf({ rows, named: [row("z")] }, ["c", "z", "c", "not here"]);
  assert.deepEqual(said(linesOf(rows, { ...none, top })), ["c", "z", "a", "b", "d"]);
  assert.deepEqual(said(linesOf(rows, { ...none, top, groups: [lr] })), ["c", "z", "1:3", "2:1"]);
  const family = [row("parent"), row("child", { parent_iteration_id: "parent" })];
  const lines = linesOf(family, { ...none, isTree: true, top: family.slice(0, 1) });
  assert.deepEqual(said(lines), ["parent", "parent", " child"]);
  assert.equal(new Set(lines.map((each) => each.key)).size, 3);
});

test("rows say how far they are from the baseline", () => {
  const [a, , c, d] = rows as [(typeof rows)[0], unknown, (typeof rows)[0], (typeof rows)[0]];
  assert.equal(deltaOf(a, c, loss), -2);
  assert.equal(deltaOf(c, c, loss), undefined);
  assert.equal(deltaOf(d, c, loss), undefined);
  assert.equal(deltaOf(a, c, lr), undefined);
});
