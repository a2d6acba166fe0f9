import assert from "node:assert/strict";
import { test } from "node:test";
import type { components } from "../../api/operations.ts";
import { grown, merged, rowsOf } from "./model.ts";
import { row } from "./testing.ts";

type Overview = components["schemas"]["IterationOverview"];

function change(id: string, others: Partial<Overview> = {}): Overview {
  const known = row(id);
  return { ...known, tags: null, parameters: null, metrics: null, ...others } as unknown as Overview;
}

test("columns become rows without the values that are not there", () => {
  const fields = { name: ["a", "b"], status_id: [1, 2] as (1 | 2)[] };
  const metrics = JSON.parse('{"loss": {"last": [0.5, null]}, "__proto__": {"last": [1, 2]}}');
  const rows = rowsOf({
    ids: ["1", "2"],
    columns: { fields, parameters: { lr: [null, "0.1"] }, metrics, tags: [["x"], []] },
    next_cursor: null,
    total: null,
  });
  assert.deepEqual(
    rows.map((each) => [each.name, Object.keys(each.parameters), Object.keys(each.metrics), each.tags]),
    [
      ["a", [], ["loss", "__proto__"], ["x"]],
      ["b", ["lr"], ["__proto__"], []],
    ],
  );
});

test("a changed row keeps what the change leaves out", () => {
  const rows = [row("a", { tags: ["x"], parameters: { lr: "1" } }), row("b"), row("c")];
  const found = merged(rows, [change("a", { name: "new", metrics: {} })], ["b"], true);
  assert.deepEqual(
    found.rows.map((each) => [each.id, each.name, each.tags]),
    [
      ["a", "new", ["x"]],
      ["c", "c", []],
    ],
  );
  assert.deepEqual(found.added, []);
});

test("an iteration that only logged more keeps all but its metrics", () => {
  const rows = [row("a"), row("b")];
  const [a, b] = grown(rows, { b: { loss: { last: 0.5 } }, unknown: {} });
  assert.equal(a, rows[0]);
  assert.deepEqual(b, { ...rows[1], metrics: { loss: { last: 0.5 } } });
});

test("new rows stand first, or are only counted; one that is gone again is neither", () => {
  const changes = [
    change("n1", { created_date: "2026-02-01T00:00:00Z" }),
    change("n2", { created_date: "2026-03-01T00:00:00Z" }),
    change("n3"),
    change("n1", { name: "again" }),
  ];
  const found = merged([row("a")], changes, ["n3"], true);
  assert.deepEqual(
    found.rows.map((each) => each.name),
    ["n2", "again", "a"],
  );
  const counted = merged([row("a")], changes, ["n3"], false);
  assert.deepEqual([counted.rows.length, counted.added], [1, ["n1", "n2"]]);
});
