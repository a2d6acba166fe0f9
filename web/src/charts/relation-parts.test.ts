import assert from "node:assert/strict";
import { test } from "node:test";
import { middleCut } from "./relation-parts.ts";

test("values that differ in their end differ after the cut", () => {
  assert.equal(middleCut("plantvillage-v1", 8), "plan…-v1");
  assert.notEqual(middleCut("plantvillage-v1", 8), middleCut("plantvillage-v2", 8));
  assert.equal(middleCut("adamw", 8), "adamw");
});
