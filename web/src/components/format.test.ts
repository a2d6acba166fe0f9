import assert from "node:assert/strict";
import { test } from "node:test";
import { countOf, formatAgo, formatBytes, formatDuration, formatNumber, seenText, type WireNumber } from "./format.ts";

const NUMBERS: [WireNumber, string][] = [
  [0, "0"],
  [0.1, "0.1"],
  [0.30000000000000004, "0.3"],
  [-0.5, "−0.5"],
  [1234567, "1\u2009234\u2009567"],
  [-12, "−12"],
  [123456.789, "123457"],
  [1234567.5, "1.2346e6"],
  [0.00001234, "1.234e−5"],
  [100.5, "100.5"],
  [3e300, "3e300"],
  [5e-324, "4.9407e−324"],
  ["NaN", "NaN"],
  ["-Infinity", "−∞"],
];

test("numbers have at most five significant digits and no needless zeros", () => {
  for (const [value, text] of NUMBERS) assert.equal(formatNumber(value), text, String(value));
});

test("durations name at most two units", () => {
  const wanted = [
    [0.25, "0.3 s"],
    [59.9, "59 s"],
    [60, "1 min"],
    [3599, "59 min"],
    [3600, "1 h"],
    [18_720, "5 h 12 min"],
    [273_600, "3 d 4 h"],
  ] as const;
  for (const [seconds, text] of wanted) assert.equal(formatDuration(seconds), text);
});

test("times are told by their distance, old ones by their day", () => {
  const now = new Date("2026-11-28T12:00:00Z");
  const ago = (seconds: number) => formatAgo(new Date(now.getTime() - seconds * 1000), now);
  assert.deepEqual([-5, 10, 300, 7200, 3 * 86_400].map(ago), [
    "just now",
    "just now",
    "5 min ago",
    "2 h ago",
    "3 d ago",
  ]);
  assert.match(ago(30 * 86_400), /^2[89] Oct 2026$/);
});

test("sizes are decimal", () => {
  assert.deepEqual([0, 999, 1000, 123_456_789, 5e12].map(formatBytes), [
    "0 bytes",
    "999 bytes",
    "1.0 KB",
    "123 MB",
    "5.0 TB",
  ]);
});

test("a running iteration was seen, or is silent", () => {
  const texts = [-40, 3, 35, 149, 150, 12 * 60, 3 * 3600 + 60].map((seconds) => seenText(seconds));
  assert.deepEqual(
    texts.map((each) => each.text),
    [
      "seen just now",
      "seen just now",
      "seen 35 s ago",
      "seen 2 min ago",
      "silent for 2 min",
      "silent for 12 min",
      "silent for 3 h 1 min",
    ],
  );
  assert.deepEqual(texts.filter((each) => each.isSilent).length, 3);
});

test("a count has its noun", () => {
  assert.deepEqual(
    [0, 1, 2003].map((each) => countOf(each, "line")),
    ["0 lines", "1 line", "2,003 lines"],
  );
});
