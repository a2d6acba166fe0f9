import assert from "node:assert/strict";
import { test } from "node:test";
import { type Piece, pieces, plain } from "./ansi.ts";

const ESC = "\u001b";
const CASES: [string, string, Piece[]][] = [
  ["no escape", "loss 0.5", [{ text: "loss 0.5" }]],
  [
    "a colour and its end",
    `a ${ESC}[31mred${ESC}[0m b`,
    [{ text: "a " }, { text: "red", colour: "red" }, { text: " b" }],
  ],
  ["bold and bright", `${ESC}[1;92mok`, [{ text: "ok", colour: "bright-green", bold: true }]],
  ["an empty reset", `${ESC}[33my${ESC}[mz`, [{ text: "y", colour: "yellow" }, { text: "z" }]],
  ["one of 256", `${ESC}[38;5;9mx`, [{ text: "x", colour: "bright-red" }]],
  ["true colour does not leak", `${ESC}[38;2;31;1;4mx${ESC}[1my`, [{ text: "x" }, { text: "y", bold: true }]],
  ["a background is left out", `${ESC}[48;5;1mx`, [{ text: "x" }]],
  ["a cursor that moves", `a${ESC}[2K${ESC}[?25lb`, [{ text: "a" }, { text: "b" }]],
  ["a link", `${ESC}]8;;http://x${ESC}\\text${ESC}]8;;${ESC}\\`, [{ text: "text" }]],
  ["a title that never ends", `${ESC}]0;title`, []],
  ["other control characters", "a\u0007\u0008b\tc", [{ text: "ab\tc" }]],
  ["markup is text", "<b>&amp;", [{ text: "<b>&amp;" }]],
];

for (const [name, line, expected] of CASES) {
  test(name, () => {
    assert.deepEqual(pieces(line), expected);
    assert.equal(plain(line), expected.map((each) => each.text).join(""));
  });
}
