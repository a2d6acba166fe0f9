import assert from "node:assert/strict";
import { test } from "node:test";
import { coverageOf, needing } from "./coverage.ts";

const read = { rows: 3000, total: 8412, hasMore: true, failed: false };

test("numbers that are not of all rows say so", () => {
  assert.equal(coverageOf("Groups", read, 10_000), "Groups cover 3,000 of 8,412 iterations so far");
  assert.equal(coverageOf("Groups", { ...read, total: undefined }, 10_000), "Groups cover 3,000 iterations so far");
  assert.equal(coverageOf("Groups", { ...read, failed: true }, 10_000), "Groups cover 3,000 of 8,412 iterations");
  assert.equal(coverageOf("Groups", { ...read, hasMore: false }, 10_000), undefined);
  assert.equal(coverageOf("", read, 10_000), undefined);
  assert.equal(
    coverageOf("Groups", { ...read, rows: 10_000, total: 24_000 }, 10_000),
    "Groups cover the first 10,000 of 24,000 iterations: filter for fewer",
  );
});

test("what needs all rows", () => {
  assert.equal(needing({}), "");
  assert.equal(needing({ group: "p:lr", tree: "1" }), "Groups");
  assert.equal(needing({ differs: "1", group: "p:lr" }), "Groups and differences");
  assert.equal(needing({ tree: "1" }), "Children");
});
