import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, match, parseHash, secretOf, within } from "./location.ts";

test("a hash is a path and a query", () => {
  assert.deepEqual(parseHash(""), { path: "/", query: {} });
  assert.deepEqual(parseHash("#/experiments/e1/?filter=a%20%3D%201&x=?"), {
    path: "/experiments/e1",
    query: { filter: "a = 1", x: "?" },
  });
});

test("one state has one hash, and is read back from it", () => {
  const query = { z: "1", filter: 'parameters.lr = "0.1" and tags = "a&b"', gone: undefined, empty: "" };
  const hash = hashOf("/experiments/e1", query);
  assert.equal(hash, hashOf("/experiments/e1", { filter: query.filter, z: "1" }));
  assert.deepEqual(parseHash(hash).query, { filter: query.filter, z: "1" });
});

test("a pattern gives the ids of a path", () => {
  assert.deepEqual(match("/projects/:projectId", "/projects/p1"), { projectId: "p1" });
  assert.deepEqual(match("/", "/"), {});
  assert.equal(match("/projects/:projectId", "/projects"), undefined);
  assert.equal(match("/projects/:projectId", "/projects/"), undefined);
  assert.equal(match("/projects/:projectId", "/models/p1"), undefined);
  assert.deepEqual(match("/users/:name", "/users/%E0%A4%A"), { name: "%E0%A4%A" });
});

test("in a share every path stands behind its secret", () => {
  within("/s/a_b_c");
  assert.deepEqual(parseHash("#/s/a_b_c"), { path: "/", query: {} });
  assert.deepEqual(parseHash("#/s/a_b_c/iterations/i?tab=charts"), { path: "/iterations/i", query: { tab: "charts" } });
  assert.equal(hashOf("/compare", { iterations: "a,b" }), "#/s/a_b_c/compare?iterations=a%2Cb");
  within("");
});

test("a link names its secret", () => {
  assert.equal(secretOf("#/s/a_b_c/iterations/i?x=1"), "a_b_c");
  assert.equal(secretOf("#/search?q=/s/a"), undefined);
  assert.equal(secretOf(""), undefined);
});
