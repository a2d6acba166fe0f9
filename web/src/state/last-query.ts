/** The last query of each experiment in this tab, so that a link back to its table finds the table as it was. */
import { effect, signal } from "@preact/signals";
import type { Location } from "./location.ts";
import { location } from "./route.ts";

type Query = Location["query"];

const NAME = "deardiary-queries";
const MOST = 20;
const known = signal<ReadonlyMap<string, Query>>(new Map(stored()));

/** The query that a link to this path should have; undefined if the tab has not shown the page. */
export function lastQuery(path: string): Query | undefined {
  return known.value.get(path);
}

// The charts of an experiment have the state of its table in their URL.
effect(() => {
  const { path, query } = location.value;
  const page = /^(\/experiments\/[^/]+)(?:\/charts)?$/.exec(path)?.[1];
  if (page) keep(page, query);
});

function keep(page: string, query: Query): void {
  const others = [...known.peek()].filter(([path]) => path !== page);
  known.value = new Map([...others, [page, query] as const].slice(-MOST));
  try {
    sessionStorage.setItem(NAME, JSON.stringify([...known.peek()]));
  } catch {
    // Without storage the tab forgets it when it is loaded again.
  }
}

function stored(): [string, Query][] {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? "[]");
  } catch {
    return [];
  }
}
