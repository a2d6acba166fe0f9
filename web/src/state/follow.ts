/** The changes feed in the browser. */
import { api } from "./api.ts";
import { type Changes, Feeds, type Wish } from "./feed.ts";
import { SECRET } from "./share.ts";

const PATH = "/experiments/{experiment_id}/iterations/changes";

const feeds = new Feeds({
  ask: (experimentId, query, etag, signal) =>
    api.fresh(PATH, { ids: { experiment_id: experimentId }, query: { ...query, grown: true } as object, signal }, etag),
  pause: async (seconds, signal) => {
    await wait(seconds, signal);
    await visible(signal);
  },
});

/** Take what changes in an experiment, while the page is visible. Call the result to stop. */
export function follow(
  experimentId: string,
  wish: () => Wish,
  take: (changes: Changes, isFirst: boolean, askedAt: number) => void,
): () => void {
  // A share shows the state at its opening.
  if (SECRET) return () => {};
  return feeds.follow(experimentId, { wish, take });
}

function wait(seconds: number, signal: AbortSignal): Promise<void> {
  if (!seconds) return Promise.resolve();
  return new Promise((done) => {
    const timer = setTimeout(done, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}

function visible(signal: AbortSignal): Promise<void> {
  if (document.visibilityState === "visible") return Promise.resolve();
  return new Promise((done) => {
    const check = () => {
      if (document.visibilityState !== "visible" && !signal.aborted) return;
      document.removeEventListener("visibilitychange", check);
      done();
    };
    document.addEventListener("visibilitychange", check);
    signal.addEventListener("abort", check);
  });
}
