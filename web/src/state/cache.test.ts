import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { Cache } from "./cache.ts";

test("an answer is shown, kept, and read again by the next page", async () => {
  const cache = new Cache();
  let answers = 0;
  const load = async () => ++answers;
  const [first, release] = cache.use("/a", load);
  assert.deepEqual(first.value, { loading: true });
  await settled();
  assert.deepEqual(first.value, { data: 1, error: undefined, loading: false });
  release();
  const [second] = cache.use("/a", load);
  assert.deepEqual([second.value.data, second.value.loading], [1, true]);
  await settled();
  assert.equal(second.value.data, 2);
});

test("an answer of a moment ago is not read again by who does not want that", async () => {
  const cache = new Cache();
  let answers = 0;
  const load = async () => ++answers;
  const [, release] = cache.use("/a", load, 60_000);
  await settled();
  release();
  const [second] = cache.use("/a", load, 60_000);
  assert.deepEqual(second.value, { data: 1, error: undefined, loading: false });
  cache.reload("/a");
  await settled();
  assert.equal(second.value.data, 2);
});

test("a failure keeps what is known", async () => {
  const cache = new Cache();
  let fails = false;
  const [entry] = cache.use("/a", async () => {
    if (fails) throw new Error("no");
    return 1;
  });
  await settled();
  fails = true;
  cache.invalidate("/a");
  await settled();
  assert.equal(entry.value.data, 1);
  assert.match(String(entry.value.error), /no/);
});

test("a later request wins over an earlier one that ends after it", async () => {
  const cache = new Cache();
  const ends: ((value: number) => void)[] = [];
  const [entry] = cache.use("/a", () => new Promise<number>((done) => ends.push(done)));
  cache.invalidate("/a");
  ends[1]?.(2);
  await settled();
  ends[0]?.(1);
  await settled();
  assert.equal(entry.value.data, 2);
});

test("leaving a page aborts its requests, if no other shows the same", async () => {
  const cache = new Cache();
  const signals: AbortSignal[] = [];
  const load = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<number>(() => {});
  };
  const [, one] = cache.use("/a", load);
  const [, other] = cache.use("/a", load);
  one();
  assert.equal(signals.at(-1)?.aborted, false);
  other();
  assert.equal(signals.at(-1)?.aborted, true);
});

test("only so many entries are kept, and never one that is shown less", () => {
  const cache = new Cache();
  cache.use("/shown", async () => 0);
  for (let index = 0; index < 300; index++) {
    const [, release] = cache.use(`/${index}`, async () => index);
    cache.put(`/${index}`, index);
    release();
  }
  cache.put("/shown", 1);
  assert.equal(cache.peek("/shown"), 1);
  assert.equal(cache.peek("/0"), undefined);
  assert.equal(cache.peek("/299"), 299);
});
