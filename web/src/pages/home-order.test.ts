import assert from "node:assert/strict";
import { test } from "node:test";
import { inUseFirst } from "./home-order.ts";

const projects = ["a", "b", "c", "d"].map((id, at) => ({ id, created_date: `2026-01-0${at + 1}T00:00:00Z` }));
const at = (project_id: string, day: number) => ({ project_id, date: `2026-02-0${day}T00:00:00Z` });
const ids = (...given: Parameters<typeof inUseFirst>) => inUseFirst(...given).map((each) => each.id);

test("projects in which something runs come first, then those of the newest events", () => {
  assert.deepEqual(ids(projects, [], new Set()), ["d", "c", "b", "a"]);
  assert.deepEqual(ids(projects, [at("b", 2), at("a", 1), at("b", 1)], new Set()), ["b", "a", "d", "c"]);
  assert.deepEqual(ids(projects, [at("b", 2)], new Set(["c", "a"])), ["c", "a", "b", "d"]);
});
