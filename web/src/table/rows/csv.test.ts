import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOfIds } from "../columns/columns.ts";
import { csvOf } from "./csv.ts";
import { row } from "./testing.ts";

test("whole values, and no text that a spreadsheet takes for a formula", () => {
  const columns = columnsOfIds(["name", "status", "p:x", "m:loss", "author"], []);
  const rows = [
    row("a", {
      name: '=cmd|"x"',
      parameters: { x: "-1e-3" },
      metrics: { loss: { last: 0.123456789 } },
      created_by: "u",
    }),
    row("b", { name: "two\nlines, and", parameters: { x: "-x" }, metrics: { loss: { last: "-Infinity" } } }),
  ];
  assert.equal(
    csvOf(rows, columns, () => "ada"),
    'id,Name,Status,x,loss,Author\r\na,"\'=cmd|""x""",succeeded,-1e-3,0.123456789,ada\r\nb,"two\nlines, and",succeeded,\'-x,\'-Infinity,\r\n'.replace(
      "'-Infinity",
      "-Infinity",
    ),
  );
});
