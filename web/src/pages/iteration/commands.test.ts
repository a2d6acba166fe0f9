import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, isOpen } from "./commands.ts";

test("a command says where it is", () => {
  assert.equal(describe({ state: "pending", step: null }), "waits for the program");
  assert.equal(describe({ state: "acknowledged", step: 0 }), "carried out at step 0");
  assert.equal(describe({ state: "acknowledged", step: null }), "carried out");
  assert.equal(describe({ state: "of a later server", step: null }), "of a later server");
});

test("a command is open until it is carried out or too late", () => {
  const open = ["pending", "seen", "acknowledged", "lapsed"].filter((state) => isOpen({ state }));
  assert.deepEqual(open, ["pending", "seen"]);
});
