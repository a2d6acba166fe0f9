import assert from "node:assert/strict";
import { test } from "node:test";
import { split } from "./mark.ts";

const marked = (text: string, search: string) =>
  split(text, search)
    .map((each) => (each.isHit ? `[${each.text}]` : each.text))
    .join("");

for (const [text, search, expected] of [
  ["loss LOSS", "loss", "[loss] [LOSS]"],
  ["aaa", "aa", "[aa]a"],
  ["loss", "", "loss"],
  ["none", "x", "none"],
  ["İİİ i", "i", "İİİ i"],
] as const) {
  test(`${search} in ${text}`, () => assert.equal(marked(text, search), expected));
}
