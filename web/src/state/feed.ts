/** Changes of an experiment, from the server's feed. All parts of a page that follow one experiment share its polls. */

import { ApiError } from "../api/errors.ts";
import type { components } from "../api/operations.ts";
import type { QueryValues } from "../api/url.ts";

export type Changes = components["schemas"]["ChangedIterations"];

/** What a part of the page wants to know; everything where it does not say. */
export interface Wish {
  ids?: readonly string[] | undefined;
  /** The keys of the wanted parameters and metrics. */
  parameters?: readonly string[] | undefined;
  metrics?: readonly string[] | undefined;
}

export interface Follower {
  /** Asked before each poll, so it may change. */
  wish: () => Wish;
  /** `isFirst`: what runs, and the edits of the last minute. Rows may come twice, and with more than was wished. */
  take: (changes: Changes, isFirst: boolean, askedAt: number) => void;
}

export interface Surroundings {
  /** Undefined if nothing has changed since the answer with this ETag. */
  ask: (
    experimentId: string,
    query: QueryValues,
    etag: string | undefined,
    signal: AbortSignal,
  ) => Promise<{ body: Changes; etag: string | undefined } | undefined>;
  /** Resolves after so many seconds, when somebody looks at the page; also when the signal aborts. */
  pause: (seconds: number, signal: AbortSignal) => Promise<void>;
}

const AFTER_ERROR_SECONDS = 30;
/** Of a parameter that a URL repeats, the server takes as many. */
const MOST_NAMED = 200;
/** A URL has room for as many ids beside a position. */
const MOST_IDS = 80;

export class Feeds {
  readonly #around: Surroundings;
  readonly #followers = new Map<string, Set<Follower>>();
  readonly #loops = new Map<string, AbortController>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Poll until the returned function is called. A new follower begins from the start, and the others with it. */
  follow(experimentId: string, follower: Follower): () => void {
    const followers = this.#followers.get(experimentId) ?? new Set();
    this.#followers.set(experimentId, followers.add(follower));
    this.#loops.get(experimentId)?.abort();
    const loop = new AbortController();
    this.#loops.set(experimentId, loop);
    void this.#poll(experimentId, followers, loop.signal);
    return () => {
      followers.delete(follower);
      if (followers.size) return;
      this.#loops.get(experimentId)?.abort();
      this.#loops.delete(experimentId);
      this.#followers.delete(experimentId);
    };
  }

  async #poll(experimentId: string, followers: ReadonlySet<Follower>, signal: AbortSignal): Promise<void> {
    let [since, etag, seconds]: [string | undefined, string | undefined, number] = [undefined, undefined, 0];
    let isLost = false;
    while (!signal.aborted) {
      await this.#around.pause(seconds, signal);
      if (signal.aborted) return;
      const askedAt = Date.now();
      const wish = joined([...followers].map((each) => each.wish()));
      try {
        const found = await this.#around.ask(experimentId, queryOf(wish, since), etag, signal);
        if (!found || signal.aborted) continue;
        const changes: Changes = isLost ? { ...found.body, reset: true } : found.body;
        for (const each of followers) each.take(part(changes, each.wish()), since === undefined, askedAt);
        [since, etag, seconds, isLost] = [changes.next_since, found.etag, changes.poll_after_seconds, false];
      } catch (error) {
        // The next poll says the same; what a page reads besides shows its own errors.
        seconds = AFTER_ERROR_SECONDS;
        // A position that the server, or a proxy, does not take would be refused again.
        if (since && isRefusal(error)) [since, etag, isLost] = [undefined, undefined, true];
      }
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && [400, 413, 414, 422, 431].includes(error.status);
}

/** What all want together. */
export function joined(wishes: readonly Wish[]): Wish {
  const all = (name: keyof Wish) => {
    const lists = wishes.map((each) => each[name]);
    return lists.includes(undefined) ? undefined : [...new Set(lists.flatMap((each) => each ?? []))];
  };
  return { ids: all("ids"), parameters: all("parameters"), metrics: all("metrics") };
}

export function queryOf({ ids, parameters, metrics }: Wish, since?: string): QueryValues {
  return {
    ...(since ? { since } : {}),
    ...(ids && ids.length <= MOST_IDS ? { iteration_id: ids } : {}),
    ...named("parameters", parameters),
    ...named("metrics", metrics),
  };
}

/** An empty text names no key. */
function named(name: string, keys: readonly string[] | undefined): QueryValues {
  return keys && keys.length <= MOST_NAMED ? { [name]: keys.length ? keys : [""] } : {};
}

function part(changes: Changes, { ids }: Wish): Changes {
  if (!ids) return changes;
  const own = new Set(ids);
  return {
    ...changes,
    data: changes.data.filter((each) => own.has(each.id)),
    grown: Object.fromEntries(Object.entries(changes.grown ?? {}).filter(([id]) => own.has(id))),
    gone: changes.gone.filter((each) => own.has(each)),
  };
}
