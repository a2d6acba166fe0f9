import assert from "node:assert/strict";
import { test } from "node:test";
import { chartsQuery, ofTable } from "./of-table.ts";

test("charts have the filter, the order and the rows of the table", () => {
  const state = { filter: "metrics.loss < 1", sort: "-m:val/loss", selected: "a,b", baseline: "c", top: "d,c" };
  assert.deepEqual(ofTable(state), {
    filter: "metrics.loss < 1",
    order: "metrics.val/loss.last desc",
    selected: ["a", "b"],
    top: ["c", "d"],
  });
});

test("without a state the newest stand first", () => {
  assert.deepEqual(ofTable({}), { filter: undefined, order: "created_date desc", selected: [], top: [] });
});

test("a link to the charts drops the earlier choice of the charts and keeps their look", () => {
  const query = { filter: "a = 1", "chart-shown": "x", "chart-log": "y" };
  assert.deepEqual(chartsQuery(query), { filter: "a = 1", "chart-shown": undefined, "chart-log": "y" });
  assert.equal(chartsQuery(query, ["a", "b"])["chart-shown"], "a,b");
});
