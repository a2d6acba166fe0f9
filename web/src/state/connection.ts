/** Whether the server answers. Reads wait for it, and a banner says so. */
import { signal } from "@preact/signals";

const SHORTEST = 2_000;
const LONGEST = 30_000;

export const offline = signal(false);
let waiting: { promise: Promise<void>; resolve: () => void } | undefined;
let delay = SHORTEST;

export function connected(here: boolean): void {
  offline.value = !here;
  if (here) delay = SHORTEST;
}

/** Resolves when it is time to try again: after a while, when the browser is back online, or at once by `retryNow`. */
export function reconnect(): Promise<void> {
  if (!waiting) {
    waiting = Promise.withResolvers<void>();
    setTimeout(retryNow, delay);
    delay = Math.min(LONGEST, delay * 2);
  }
  return waiting.promise;
}

export function retryNow(): void {
  waiting?.resolve();
  waiting = undefined;
}

window.addEventListener("online", retryNow);
