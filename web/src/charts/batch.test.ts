import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "./batch.ts";

test("what is wanted together is asked together, each key once, and no more than fit", async () => {
  const sent: string[][] = [];
  const send = async (keys: string[]) => {
    sent.push(keys);
    return new Map(keys.filter((key) => key !== "none").map((key) => [key, key.toUpperCase()]));
  };
  const batch = new Batch<string>();
  const wanted = ["a", "b", "a", "c", "none"].map((key) => batch.want("g", key, 3, send));
  assert.deepEqual(await Promise.all(wanted), ["A", "B", "A", "C", undefined]);
  assert.deepEqual(sent, [["a", "b", "c"], ["none"]]);
});

test("an error is that of all who wait", async () => {
  const batch = new Batch<string>();
  const fail = () => Promise.reject(new Error("no"));
  const wanted = ["a", "b"].map((key) => batch.want("g", key, 9, fail));
  for (const each of wanted) await assert.rejects(each, /no/);
});
