import assert from "node:assert/strict";
import { test } from "node:test";
import { Bell } from "./bell.ts";

test("news wakes, also news that came before, and the same state is no news", async () => {
  const bell = new Bell("1");
  const { signal } = new AbortController();
  let woken = 0;
  const waited = bell.news(signal).then(() => {
    woken += 1;
  });
  bell.ring("1");
  await new Promise(setImmediate);
  assert.equal(woken, 0);
  bell.ring("2");
  await waited;
  bell.ring("3");
  await bell.news(signal);
});

test("a signal that aborts wakes", async () => {
  const left = new AbortController();
  const waited = new Bell("1").news(left.signal);
  left.abort();
  await waited;
});
