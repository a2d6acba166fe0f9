/** The present location, as a signal; links and pages change it. */
import { signal } from "@preact/signals";
import "./share.ts";
import { hashOf, type Location, parseHash } from "./location.ts";

export const location = signal<Location>(parseHash(window.location.hash));

window.addEventListener("hashchange", () => {
  location.value = parseHash(window.location.hash);
});

/** Go to another page, with an entry in the browser's history. */
export function go(path: string, query?: Record<string, string | undefined>): void {
  window.location.hash = hashOf(path, query);
}

/** Change the state of this page in its URL; undefined or "" removes a name. `push` adds an entry to the history. */
export function setQuery(changes: Record<string, string | undefined>, push = false): void {
  const { path, query } = location.peek();
  const hash = hashOf(path, { ...query, ...changes });
  history[push ? "pushState" : "replaceState"](null, "", hash);
  location.value = parseHash(hash);
}
