import assert from "node:assert/strict";
import { test } from "node:test";
import { urlOf } from "./url.ts";

test("ids are escaped, lists repeat their name, absent values are left out", () => {
  const url = urlOf("/models/{model_id}/aliases/{alias}", { model_id: "a/b", alias: "é" }, { key: ["loss", "a&b"] });
  assert.equal(url, "/models/a%2Fb/aliases/%C3%A9?key=loss&key=a%26b");
  assert.equal(urlOf("/projects", {}, { limit: 5, cursor: undefined, x: null }), "/projects?limit=5");
});

test("a missing id is an error of the caller", () => {
  assert.throws(() => urlOf("/projects/{project_id}"), /needs project_id/);
});
