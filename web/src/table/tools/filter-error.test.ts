import assert from "node:assert/strict";
import { test } from "node:test";
import type { Keys } from "../rows/model.ts";
import { withKnownKeys } from "./filter-error.ts";

const named = (...names: string[]) => names.map((key) => ({ key, count: 1 }));
const KEYS = {
  parameters: named("lr"),
  metrics: named("lr", "Loss"),
  labels: named("team"),
  tags: [],
} as unknown as Keys;
const message = (word: string) =>
  `'${word}' is no field of an iteration, did you mean parameters.${word} or metrics.${word}? Expected tags`;

for (const [word, wanted] of [
  ["lr", ", did you mean metrics.lr or parameters.lr? Expected tags"],
  ["loss", ", did you mean metrics.Loss? Expected tags"],
  ["team", ", did you mean labels.team? Expected tags"],
  ["kind", ". Expected tags"],
] as const) {
  test(`only keys in use are proposed for ${word}`, () => {
    assert.equal(withKnownKeys(message(word), KEYS), `'${word}' is no field of an iteration${wanted}`);
  });
}

test("other proposals stay", () => {
  const text = `expected a status, found 'failed', did you mean "failed"?`;
  assert.equal(withKnownKeys(text, KEYS), text);
});
