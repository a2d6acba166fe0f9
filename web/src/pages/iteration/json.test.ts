import assert from "node:assert/strict";
import { test } from "node:test";
import { prettyJson } from "./json.ts";

test("it is what JSON.stringify would make", () => {
  for (const value of [{}, [], [[]], { a: [1, { b: {} }], "x:,{": 'q"[\\' }, "text", null, [true, -1.5e3]]) {
    assert.equal(prettyJson(JSON.stringify(value)), JSON.stringify(value, null, 2));
    assert.equal(prettyJson(JSON.stringify(value, null, 7)), JSON.stringify(value, null, 2));
  }
});

test("large and exact numbers stay as they are written", () => {
  assert.equal(prettyJson("[12345678901234567890,1.0]"), "[\n  12345678901234567890,\n  1.0\n]");
});

test("other texts are not JSON", () => {
  assert.equal(prettyJson("{'a': 1}"), undefined);
  assert.equal(prettyJson("NaN"), undefined);
  assert.equal(prettyJson(""), undefined);
});
