/** A row of the changes feed in place of what was read of its iteration. */
import type { components } from "../api/operations.ts";
import { cache } from "./use.ts";

type Schemas = components["schemas"];

export function keepRow({ metrics, parameters, tags, ...iteration }: Schemas["IterationOverview"]): void {
  const path = `/iterations/${iteration.id}`;
  cache.put(path, iteration);
  cache.put(`${path}/metrics/summary`, { data: metrics ?? {} });
  // Their lists have ids, which a row has not. Rows of edits come twice, mostly with what is known.
  const knownTags = cache.peek<Schemas["Tag"][]>(`${path}/tags all`) ?? [];
  if (tags && !isSame(tags, textsOf(knownTags, "value"))) cache.reload(`${path}/tags all`);
  const known = cache.peek<Schemas["Parameter"][]>(`${path}/parameters all`) ?? [];
  if (parameters && !isSame(Object.entries(parameters).map(String), textsOf(known, "key", "value")))
    cache.reload(`${path}/parameters all`);
}

/** The metrics of iterations of which nothing else has changed. */
export function keepGrown(grown: Schemas["ChangedIterations"]["grown"] = {}): void {
  for (const [id, metrics] of Object.entries(grown)) cache.put(`/iterations/${id}/metrics/summary`, { data: metrics });
}

function textsOf<T>(rows: readonly T[], ...names: (keyof T)[]): string[] {
  return rows.map((row) => String(names.map((name) => row[name])));
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.toSorted().join("\0") === others.toSorted().join("\0");
}
