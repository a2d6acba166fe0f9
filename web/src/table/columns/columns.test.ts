import assert from "node:assert/strict";
import { test } from "node:test";
import type { Keys } from "../rows/model.ts";
import { row } from "../rows/testing.ts";
import { cellValue, columnsOf, columnsOfIds, differing, MOST_KEYS, orderOf, shownAtFirst, textOf } from "./columns.ts";
import { quoted } from "./quoted.ts";

const keys: Keys = {
  parameters: [
    { key: "lr", type: "number", count: 2 },
    { key: "seed", type: "number", count: 3 },
  ],
  metrics: [{ key: "val loss", type: "number", count: 3 }],
  labels: [],
  tags: [],
};

test("behind the first fields stand the metrics, those of the machine last, and then the parameters", () => {
  const machine = { key: "system/cpu", type: "number" as const, count: 9 };
  const ids = shownAtFirst(columnsOf({ ...keys, metrics: [machine, ...keys.metrics] }));
  assert.equal(ids[0], "name");
  assert.deepEqual(ids.slice(5, 9), ["m:val loss", "m:system/cpu", "p:lr", "p:seed"]);
});

test("of very many keys only some are shown at first", () => {
  const many = Array.from({ length: 10_000 }, (_, at) => ({ key: `k${at}`, type: "number" as const, count: 1 }));
  const all = columnsOf({ ...keys, metrics: many });
  assert.ok(all.length > 10_000);
  const shown = shownAtFirst(all).filter((id) => id.includes(":"));
  assert.equal(shown.length, MOST_KEYS);
  assert.deepEqual(shown.slice(-2), ["p:lr", "p:seed"]);
});

test("an order quotes what a bare name cannot hold", () => {
  const all = columnsOf(keys);
  assert.equal(orderOf("-m:val loss", all), 'metrics."val loss".last desc');
  assert.equal(orderOf("min:loss", all), "metrics.loss.min");
  assert.equal(orderOf("p:lr", all), "parameters.lr");
  assert.equal(orderOf("tags", all), "created_date desc");
  assert.equal(quoted('a"b\\c'), '"a\\"b\\\\c"');
  assert.equal(quoted("train.min"), '"train.min"');
  assert.equal(quoted("net/depth"), "net/depth");
});

test("a column of a key that nobody uses any more stays, an unknown one does not", () => {
  const found = columnsOfIds(["name", "m:a:b", "no such", "max:acc"], columnsOf(keys));
  assert.deepEqual(
    found.map((each) => [each.kind, each.key, each.part]),
    [
      ["field", "name", undefined],
      ["metric", "a:b", "last"],
      ["metric", "acc", "max"],
    ],
  );
});

test("a column differs if one row has another value, or none", () => {
  const columns = columnsOfIds(["name", "p:lr", "p:seed", "m:loss"], columnsOf(keys));
  const rows = [
    row("a", { parameters: { lr: "0.1", seed: "1" }, metrics: { loss: { last: "NaN" } } }),
    row("b", { parameters: { lr: "0.1", seed: "1" }, metrics: { loss: { last: "NaN" } } }),
    row("c", { parameters: { lr: "0.1" }, metrics: { loss: { last: "NaN" } } }),
  ];
  assert.deepEqual(
    differing(columns, rows).map((each) => each.id),
    ["name", "p:seed"],
  );
  assert.deepEqual(
    differing(columns, rows.slice(0, 2)).map((each) => each.id),
    ["name"],
  );
});

test("a value of a part that was not logged is absent", () => {
  const [min] = columnsOfIds(["min:loss"], []);
  assert.ok(min);
  assert.equal(cellValue(row("a", { metrics: { loss: { last: 1 } } }), min), undefined);
});

test("a long number becomes shorter, and is not cut; other texts stay", () => {
  const column = { id: "p:n", kind: "parameter", key: "n", title: "n", isNumber: true, width: 120 } as const;
  for (const [value, text] of [
    ["123456789012", "1.2346e11"],
    ["0.00012345678", "0.00012346"],
    ["0.010", "0.010"],
    ["adam with restarts", "adam with restarts"],
  ] as const) {
    assert.equal(textOf(value, column), text);
  }
  assert.equal(textOf("123456789012", { ...column, isNumber: false }), "123456789012");
  assert.equal(textOf("123456789012", column, 164), "123456789012");
  assert.equal(textOf("123456789", column, 70), "1.23e8");
  assert.equal(textOf(0.98123, { ...column, kind: "metric" }, 56), "0.98");
});
