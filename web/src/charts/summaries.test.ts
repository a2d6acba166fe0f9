import assert from "node:assert/strict";
import { test } from "node:test";
import { Summaries } from "./summaries.ts";

/** A server that answers so many at once, and knows no "gone". */
function server(most: number) {
  const asked: string[] = [];
  const summaries = new Summaries<string>(async (experiment, ids) => {
    asked.push(`${experiment} ${ids.join()}`);
    const [now, left] = [ids.slice(0, most), ids.slice(most)];
    return { data: Object.fromEntries(now.filter((id) => id !== "gone").map((id) => [id, `of ${id}`])), left };
  });
  return { summaries, asked };
}

test("what is wanted at the same moment is one request for each experiment", async () => {
  const { summaries, asked } = server(10);
  const found = await Promise.all([
    summaries.load("e", "a"),
    summaries.load("f", "b"),
    summaries.load("e", "gone"),
    summaries.load("e", "a"),
  ]);
  assert.deepEqual(found, ["of a", "of b", undefined, "of a"]);
  assert.deepEqual(asked, ["e a,gone", "f b"]);
  await summaries.load("e", "a");
  assert.equal(asked.length, 3);
});

test("what did not fit is asked for again", async () => {
  const { summaries, asked } = server(2);
  const found = await Promise.all(["a", "b", "c"].map((id) => summaries.load("e", id)));
  assert.deepEqual(found, ["of a", "of b", "of c"]);
  assert.deepEqual(asked, ["e a,b,c", "e c"]);
});

test("an error reaches those who wait, and no others", async () => {
  let calls = 0;
  const summaries = new Summaries<string>(async (_, ids) => {
    if (calls++) throw new Error("away");
    return { data: { a: "of a" }, left: ids.slice(1) };
  });
  const [a, b] = [summaries.load("e", "a"), summaries.load("e", "b")];
  assert.equal(await a, "of a");
  await assert.rejects(b, /away/);
});

test("many ids are several requests", async () => {
  const { summaries, asked } = server(1000);
  await Promise.all(Array.from({ length: 101 }, (_, at) => summaries.load("e", `i${at}`)));
  assert.equal(asked.length, 2);
});
