import assert from "node:assert/strict";
import { test } from "node:test";
import type { Keys } from "../rows/model.ts";
import { suggest } from "./suggest.ts";

const keys: Keys = {
  parameters: [{ key: "lr", type: "number", count: 2 }],
  metrics: [
    { key: "loss", type: "number", count: 3 },
    { key: "val loss", type: "number", count: 1 },
  ],
  labels: [{ key: "team", type: "string", count: 1 }],
  tags: [{ key: "best", type: "string", count: 1 }],
};
const values = (name: string) => (name === "parameters.lr" ? ["0.1", "1e-3", 'a"b'] : []);
const labels = (text: string) => suggest(text, keys, values).options.map((each) => each.label);

const TABLE: [string, string[]][] = [
  ["lo", ["metrics.loss", 'metrics."val loss"']],
  ["parameters.", ["parameters.lr"]],
  ['metrics."val', ['metrics."val loss"']],
  ["metrics.loss ", ["=", "!=", "<"]],
  ["metrics.loss <", ["<="]],
  ["status = ", ["RUNNING", "SUCCEEDED", "FAILED", "KILLED"].map((each) => `"${each}"`)],
  ["status = F", ['"FAILED"']],
  ['tags in ("x", ', ['"best"']],
  ["parameters.lr = ", ["0.1", "1e-3", '"a\\"b"']],
  ["parameters.lr is null ", ["and", "or"]],
  ["not (tags = 'x' and tea", ["labels.team"]],
  ['status = "FAILED" ', ["and", "or"]],
];

for (const [text, wanted] of TABLE)
  test(`after ${JSON.stringify(text)}`, () => assert.deepEqual(labels(text).slice(0, wanted.length), wanted));

test("a suggestion takes the place of what was typed", () => {
  const { from, options } = suggest("status = F", keys, values);
  assert.equal(from, 9);
  assert.equal(options[0]?.text, '"FAILED" ');
  assert.equal(suggest("tags = 'x' and (", keys, values).from, 16);
});
