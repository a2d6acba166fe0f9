import assert from "node:assert/strict";
import { test } from "node:test";
import { row } from "../rows/testing.ts";
import { columnsOfIds } from "./columns.ts";
import { fittedWidth, tagsThatFit } from "./fit.ts";

const rows = [
  row("a", { parameters: { lr: "0.1", data: "village-v1" }, tags: ["a100"] }),
  row("b", { parameters: { lr: "0.01", data: "plantvillage-version-2" }, tags: ["a100", "a long tag"] }),
];

function width(id: string): number {
  const [column] = columnsOfIds([id], []);
  assert.ok(column);
  return fittedWidth(column, rows);
}

test("a column is as wide as its title and its longest value need it", () => {
  assert.ok(width("p:lr") < 70);
  assert.ok(width("p:data") > 180);
  assert.ok(width("p:model.pretrained") > width("p:lr"));
  assert.ok(width("m:val/accuracy") >= width("m:f1"));
});

test("no column is wider than a part of the screen", () => {
  const [column] = columnsOfIds(["p:note"], []);
  assert.ok(column);
  assert.equal(fittedWidth(column, [row("a", { parameters: { note: "x".repeat(4000) } })]), 240);
  const [tags] = columnsOfIds(["tags"], []);
  assert.ok(tags);
  assert.equal(fittedWidth(tags, [row("a", { tags: ["x".repeat(99)] })]), 190);
  assert.ok(width("tags") < 190);
});

test("of many tags those are shown that have room", () => {
  const tags = ["gpu-a100", "augment", "baseline", "paper"];
  assert.equal(tagsThatFit(tags, 190), 1);
  assert.equal(tagsThatFit(tags, 230), 2);
  assert.equal(tagsThatFit(tags, 400), 4);
  assert.equal(tagsThatFit(tags.slice(0, 2), 40), 2);
  assert.equal(tagsThatFit(tags, 20), 1);
});
