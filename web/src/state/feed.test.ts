import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../api/errors.ts";
import { type Changes, Feeds, joined, queryOf, type Wish } from "./feed.ts";

type Row = Changes["data"][number];

function changes(ids: string[], since: string): Changes {
  const data = ids.map((id) => ({ id }) as Row);
  const grown = Object.fromEntries(ids.map((id) => [id, {}]));
  return { data, grown, gone: [], last_seen: {}, reset: false, next_since: since, poll_after_seconds: 5 };
}

/** A server that answers in turn, and a clock that the test moves. */
function around(answers: (Changes | Error | undefined)[]) {
  const asked: { query: unknown; etag: string | undefined }[] = [];
  const turns: (() => void)[] = [];
  const pauses: number[] = [];
  const feeds = new Feeds({
    ask: async (_, query, etag, signal) => {
      asked.push({ query, etag });
      signal.throwIfAborted();
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer && { body: answer, etag: `etag of ${answer.next_since}` };
    },
    pause: (seconds, signal) => {
      if (!seconds) return Promise.resolve();
      pauses.push(seconds);
      return new Promise((done) => {
        turns.push(done);
        signal.addEventListener("abort", () => done());
      });
    },
  });
  const next = async () => {
    turns.shift()?.();
    await settled();
  };
  return { feeds, asked, pauses, next };
}

const settled = () => new Promise((done) => setImmediate(done));

function follower(wish: Wish = {}) {
  const taken: [ids: string[], isFirst: boolean][] = [];
  return {
    taken,
    wish: () => wish,
    take: (each: Changes, isFirst: boolean) => {
      taken.push([each.data.map((row) => row.id), isFirst]);
      assert.deepEqual(Object.keys(each.grown ?? {}), taken.at(-1)?.[0]);
    },
  };
}

test("each poll asks for what changed since the last answer", async () => {
  const { feeds, asked, next } = around([changes(["a"], "1"), undefined, changes(["b"], "2")]);
  const table = follower();
  feeds.follow("e", table);
  await settled();
  await next();
  await next();
  assert.deepEqual(asked, [
    { query: {}, etag: undefined },
    { query: { since: "1" }, etag: "etag of 1" },
    { query: { since: "1" }, etag: "etag of 1" },
  ]);
  assert.deepEqual(table.taken, [
    [["a"], true],
    [["b"], false],
  ]);
});

test("two followers share one poll, and each takes its own rows", async () => {
  const { feeds, asked } = around([changes(["a", "b"], "1")]);
  const [table, chart] = [follower({ parameters: ["lr"] }), follower({ ids: ["b"], parameters: [] })];
  feeds.follow("e", table);
  feeds.follow("e", chart);
  await settled();
  assert.deepEqual(asked, [{ query: { parameters: ["lr"] }, etag: undefined }]);
  assert.deepEqual(table.taken, [[["a", "b"], true]]);
  assert.deepEqual(chart.taken, [[["b"], true]]);
});

test("a new follower begins without a position", async () => {
  const { feeds, asked, next } = around([changes(["a"], "1"), changes(["a"], "2"), undefined]);
  feeds.follow("e", follower());
  await settled();
  const late = follower();
  feeds.follow("e", late);
  await settled();
  await next();
  await next();
  assert.deepEqual(late.taken, [[["a"], true]]);
  assert.deepEqual(
    asked.map((each) => each.query),
    [{}, {}, { since: "2" }],
  );
});

test("after the last follower has left nothing is asked", async () => {
  const { feeds, asked, next } = around([changes([], "1"), changes([], "2")]);
  const stops = [feeds.follow("e", follower()), feeds.follow("e", follower())];
  await settled();
  stops[0]?.();
  await next();
  assert.equal(asked.length, 2);
  stops[1]?.();
  await next();
  assert.equal(asked.length, 2);
});

test("an error waits longer and keeps the position", async () => {
  const { feeds, asked, pauses, next } = around([changes([], "1"), new Error("away"), changes([], "2")]);
  feeds.follow("e", follower());
  await settled();
  await next();
  await next();
  assert.deepEqual(pauses, [5, 30, 5]);
  assert.deepEqual(asked.at(-1)?.query, { since: "1" });
});

test("a position that is refused is given up, and the followers list again", async () => {
  const refused = new ApiError(414, "UNKNOWN", "too long");
  const { feeds, asked, next } = around([changes([], "1"), refused, changes(["a"], "2"), changes([], "3")]);
  const resets: boolean[] = [];
  feeds.follow("e", { wish: () => ({}), take: (each) => resets.push(each.reset) });
  await settled();
  await next();
  await next();
  await next();
  assert.deepEqual(
    asked.map((each) => each.query),
    [{}, { since: "1" }, {}, { since: "2" }],
  );
  assert.deepEqual(resets, [false, true, false]);
});

test("wishes join to what all want", () => {
  assert.deepEqual(
    joined([
      { ids: ["a"], metrics: ["x"] },
      { ids: ["b", "a"], metrics: ["y"], parameters: [] },
    ]),
    {
      ids: ["a", "b"],
      parameters: undefined,
      metrics: ["x", "y"],
    },
  );
  const many = Array.from({ length: 201 }, (_, at) => String(at));
  assert.deepEqual(queryOf({ ids: many, parameters: [], metrics: many }), { parameters: [""] });
});
