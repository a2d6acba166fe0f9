import assert from "node:assert/strict";
import { test } from "node:test";
import { urlOf } from "../../api/url.ts";
import { withKeys } from "./model.ts";
import { NEWEST_FIRST, queriesOf } from "./request.ts";
import { row } from "./testing.ts";

const wanted = { experimentId: "e", filter: "", order: NEWEST_FIRST, parts: ["last"] as const };

test("without names there is one request, for the keys that most rows have", () => {
  const queries = queriesOf(wanted);
  assert.equal(queries.length, 1);
  assert.equal(queries[0] && "most_keys" in queries[0], true);
});

test("each key is in one request, each request fits a URL, and all have the same rows", () => {
  for (const length of [1, 30, 250, 6000]) {
    const keys = {
      parameters: Array.from({ length: 500 }, (_, at) => `ä${at}`.padEnd(length, "x")),
      metrics: Array.from({ length: 300 }, (_, at) => `m${at}`),
    };
    const queries = queriesOf({ ...wanted, keys });
    const named = queries.map((each) => each as { parameters?: string[]; metrics?: string[] });
    assert.deepEqual(
      named.flatMap((each) => each.parameters ?? []),
      keys.parameters,
    );
    assert.deepEqual(
      named.flatMap((each) => each.metrics ?? []),
      keys.metrics,
    );
    for (const [at, each] of named.entries()) {
      const count = (each.parameters?.length ?? 0) + (each.metrics?.length ?? 0);
      assert.ok(count > 0 && (count === 1 || urlOf("/", {}, queries[at]).length < 5600));
    }
    assert.deepEqual(new Set(queries.map((each) => `${each.limit} ${each.order_by} ${each.filter}`)).size, 1);
  }
});

test("no keys at all are one request, too", () => {
  assert.equal(queriesOf({ ...wanted, keys: { parameters: [], metrics: [] } }).length, 1);
});

test("rows get the values of all answers, also of those in another order", () => {
  const first = [row("a", { parameters: { p: "1" }, tags: ["t"] }), row("b", { metrics: { m: { last: 1 } } })];
  const second = [row("c"), row("b", { parameters: { q: "2" } }), row("a", { metrics: { n: { last: 2 } } })];
  const [a, b, ...others] = withKeys(first, [second]);
  assert.deepEqual({ ...a?.parameters, ...a?.metrics, tags: a?.tags }, { p: "1", n: { last: 2 }, tags: ["t"] });
  assert.deepEqual({ ...b?.parameters, ...b?.metrics }, { q: "2", m: { last: 1 } });
  assert.deepEqual(others, []);
});
