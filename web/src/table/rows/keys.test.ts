import assert from "node:assert/strict";
import { test } from "node:test";
import { extended, keysOfRows, MOST_READ, mayLack, NO_KEYS } from "./keys.ts";
import { row } from "./testing.ts";

const rows = [
  row("a", { parameters: { lr: "0.1", opt: "1", __proto__x: "NaN" }, metrics: { loss: {} }, tags: ["best"] }),
  row("b", { parameters: { lr: "1e-3", opt: "adam" }, labels: { team: "nlp" } }),
];

test("the keys of rows come by use, with the type of all their values", () => {
  assert.deepEqual(keysOfRows(rows), {
    parameters: [
      { key: "lr", type: "number", count: 2 },
      { key: "opt", type: "string", count: 2 },
      { key: "__proto__x", type: "number", count: 1 },
    ],
    metrics: [{ key: "loss", type: "number", count: 1 }],
    labels: [{ key: "team", type: "string", count: 1 }],
    tags: [{ key: "best", type: "string", count: 1 }],
  });
});

test("known keys keep their places; new ones follow", () => {
  const known = keysOfRows(rows.slice(0, 1));
  assert.equal(extended(known, known), known);
  const more = { ...NO_KEYS, parameters: [{ key: "a", type: "number" as const, count: 9 }, ...known.parameters] };
  assert.deepEqual(
    extended(known, more).parameters.map((each) => each.key),
    [...known.parameters.map((each) => each.key), "a"],
  );
  assert.equal(extended(known, more).metrics, known.metrics);
});

test("rows with as many keys as an answer can have may lack some", () => {
  const parameters = Object.fromEntries(Array.from({ length: MOST_READ }, (_, at) => [`p${at}`, "1"]));
  assert.ok(mayLack(keysOfRows([row("a", { parameters })])));
  assert.ok(!mayLack(keysOfRows(rows)));
});
