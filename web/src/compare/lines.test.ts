import assert from "node:assert/strict";
import { test } from "node:test";
import { diffLines, type Piece } from "./lines.ts";

const shown = (before: string, after: string) =>
  diffLines(before, after).map(({ kind, lines }) => `${kind[0]}:${lines.join(",")}`);

const side = (pieces: Piece[], left: "removed" | "added") =>
  pieces.flatMap((each) => (each.kind === "equal" || each.kind === left ? each.lines : []));

test("lines are equal, removed or added", () => {
  assert.deepEqual(shown("a\nb\nc\n", "a\nx\nc\nd\n"), ["e:a", "r:b", "a:x", "e:c", "a:d"]);
  assert.deepEqual(shown("", "a\n"), ["a:a"]);
  assert.deepEqual(shown("a", ""), ["r:a"]);
  assert.deepEqual(shown("a\r\nb", "a\nb\n"), ["e:a,b"]);
  assert.deepEqual(shown("", ""), []);
});

test("the pieces make up both texts, with as few changes as a table of all prefixes finds", () => {
  let seed = 7;
  const next = (most: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * most);
  };
  for (let round = 0; round < 300; round++) {
    const text = () => Array.from({ length: next(12) }, () => "abc"[next(3)] as string);
    const [a, b] = [text(), text()];
    const pieces = diffLines(a.join("\n"), b.join("\n"));
    assert.deepEqual(side(pieces, "removed"), a);
    assert.deepEqual(side(pieces, "added"), b);
    const changes = pieces.flatMap((each) => (each.kind === "equal" ? [] : each.lines)).length;
    assert.equal(changes, a.length + b.length - 2 * longestCommon(a, b));
  }
});

test("texts with nothing in common are removed and added as a whole, soon", () => {
  const text = (name: string) => Array.from({ length: 60_000 }, (_, line) => `${name} ${line}`).join("\n");
  const kinds = diffLines(text("a"), text("b")).map((each) => each.kind);
  assert.deepEqual(kinds, ["removed", "added"]);
});

function longestCommon(a: string[], b: string[]): number {
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const of = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      (lengths[i] as number[])[j] = a[i] === b[j] ? of(i + 1, j + 1) + 1 : Math.max(of(i + 1, j), of(i, j + 1));
  return of(0, 0);
}
