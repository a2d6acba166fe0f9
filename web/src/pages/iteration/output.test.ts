import assert from "node:assert/strict";
import { test } from "node:test";
import { append, findIn, follow, type Line, type Page } from "./output.ts";

const out = (text: string, stream = "stdout") => ({ stream, text, recorded_at: "2026-01-01T00:00:00.000Z" });
const texts = (lines: Line[]) => lines.map((each) => each.text);

test("a carriage return replaces the line before it of its stream", () => {
  const lines: Line[] = [];
  append(lines, [
    out("start"),
    out("10%", "stderr"),
    out("printed"),
    out("\r20%", "stderr"),
    out("\r30%\r40%", "stderr"),
  ]);
  assert.deepEqual(texts(lines), ["start", "40%", "printed"]);
  append(lines, [out("\r100%", "stderr")]);
  assert.deepEqual(texts(lines), ["start", "100%", "printed"]);
});

test("a carriage return without a line before it is a line", () => {
  const lines: Line[] = [];
  append(lines, [out("\r1%")]);
  assert.deepEqual(texts(lines), ["1%"]);
});

test("a gap is said in its place", () => {
  const lines: Line[] = [];
  append(lines, [out("first")]);
  append(lines, [out("later")], { lines: 1200, bytes: 50_000 });
  assert.equal(lines[1]?.stream, "gap");
  assert.match(lines[1]?.text ?? "", /1,200 lines \(50,000 bytes\) were removed/);
});

test("it reads on at once, then waits for news, and reads once more after the end", async () => {
  const page = (text: string | undefined, cursor: string, more: boolean): Page => ({
    data: text ? [{ ...out(text), cursor, gap: null }] : [],
    cursor,
    next_cursor: more ? cursor : null,
    gap: null,
  });
  const pages = [page("a", "1", true), page("b", "2", false), page(undefined, "2", false), page("c", "3", false)];
  const asked: (string | null)[] = [];
  let waits = 0;
  const shown: string[] = [];
  await follow(
    null,
    {
      read: async (after) => {
        asked.push(after);
        return pages.shift() as Page;
      },
      news: async () => {
        waits += 1;
      },
      running: () => pages.length > 1,
      show: ({ data }) => shown.push(...data.map((each) => each.text)),
    },
    new AbortController().signal,
  );
  assert.deepEqual(asked, [null, "1", "2", "2"]);
  assert.equal(waits, 2);
  assert.deepEqual(shown, ["a", "b", "c"]);
});

test("lines are found in any case, and nothing without a search", () => {
  assert.deepEqual(findIn(["Loss", "x", "loss 2"], "LOSS"), [0, 2]);
  assert.deepEqual(findIn(["a"], ""), []);
});
