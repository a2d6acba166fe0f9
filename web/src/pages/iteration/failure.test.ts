import assert from "node:assert/strict";
import { test } from "node:test";
import { headline } from "./failure.ts";

const CASES: [string, string][] = [
  ["", ""],
  ["CUDA out of memory\nmore", "CUDA out of memory"],
  ['Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no\n', "ValueError: no"],
  ["Traceback (most recent call last):\n  File\nKeyboardInterrupt\n", "KeyboardInterrupt"],
  [
    "Traceback (most recent call last):\n  x\ntorch.cuda.OutOfMemoryError: 3 GB\n  a note",
    "torch.cuda.OutOfMemoryError: 3 GB",
  ],
  ["Traceback (most recent call last):\n  cut", "cut"],
];

for (const [message, expected] of CASES) {
  test(`the headline of ${JSON.stringify(message.slice(-30))}`, () => assert.equal(headline(message), expected));
}
