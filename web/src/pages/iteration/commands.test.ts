import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, isOpen, stoppedLine, wasStopped } from "./commands.ts";

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

test("the line of a stop says who, at which step, and why", () => {
  const line = (message: string, stop?: { text: string; step: number | null }) => stoppedLine(message, stop);
  assert.equal(line("Stopped by ada\n\nTraceback …", { text: "", step: 0 }), "Stopped by ada at step 0");
  assert.equal(line("Stopped by ada: too slow", { text: "too slow", step: 3 }), "Stopped by ada at step 3: too slow");
  assert.equal(line("Stopped by ada"), "Stopped by ada");
  assert.equal(line("", { text: "", step: null }), "Stopped by a command");
  assert.equal(line("", { text: "too slow", step: 7 }), "Stopped by a command at step 7: too slow");
});

test("only a killed iteration was stopped", () => {
  const message = "Stopped by ada";
  assert.equal(wasStopped({ status_id: 4, error_message: message }, undefined), true);
  assert.equal(wasStopped({ status_id: 4, error_message: "" }, { id: "c" }), true);
  assert.equal(wasStopped({ status_id: 4, error_message: "KeyboardInterrupt" }, undefined), false);
  assert.equal(wasStopped({ status_id: 3, error_message: message }, { id: "c" }), false);
});
