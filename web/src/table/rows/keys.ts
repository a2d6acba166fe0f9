/** The keys of parameters, metrics, labels and tags that iterations use, in the order of their columns. */
import type { Keys, Row } from "./model.ts";

type Use = Keys["parameters"][number];

/** Of parameters, and of metrics: an answer without named keys has at most so many, those that most rows have. */
export const MOST_READ = 300;

export const NO_KEYS: Keys = { parameters: [], metrics: [], labels: [], tags: [] };

/** The keys of these rows; those that most rows have come first. */
export function keysOfRows(rows: readonly Row[]): Keys {
  return {
    parameters: uses(
      rows,
      (row) => Object.keys(row.parameters),
      (row, key) => isNumber(row.parameters[key]),
    ),
    metrics: uses(
      rows,
      (row) => Object.keys(row.metrics),
      () => true,
    ),
    labels: uses(
      rows,
      (row) => Object.keys(row.labels),
      () => false,
    ),
    tags: uses(
      rows,
      (row) => row.tags,
      () => false,
    ),
  };
}

function uses(
  rows: readonly Row[],
  keysOf: (row: Row) => readonly string[],
  isNumberIn: (row: Row, key: string) => boolean,
): Use[] {
  const found = new Map<string, Use>();
  for (const row of rows)
    for (const key of keysOf(row)) {
      const known = found.get(key);
      const isNumber = known?.type !== "string" && isNumberIn(row, key);
      found.set(key, { key, type: isNumber ? "number" : "string", count: (known?.count ?? 0) + 1 });
    }
  return byUse([...found.values()]);
}

function isNumber(text: string | undefined): boolean {
  return text === "NaN" || (!!text?.trim() && !Number.isNaN(Number(text)));
}

function byUse(uses: readonly Use[]): Use[] {
  return uses.toSorted((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
}

/** True if the rows may have more keys than were read of them. */
export function mayLack({ parameters, metrics }: Keys): boolean {
  return parameters.length >= MOST_READ || metrics.length >= MOST_READ;
}

/** The known keys at their places, so that no column moves, and the new ones behind them; the same if none is new. */
export function extended(known: Keys, more: Keys): Keys {
  const kinds = ["parameters", "metrics", "labels", "tags"] as const;
  const found = kinds.map((kind) => appended(known[kind], more[kind]));
  if (found.every((uses, at) => uses === known[kinds[at] as keyof Keys])) return known;
  return Object.fromEntries(kinds.map((kind, at) => [kind, found[at]])) as unknown as Keys;
}

function appended(known: readonly Use[], more: readonly Use[]): readonly Use[] {
  const names = new Set(known.map((each) => each.key));
  const fresh = more.filter((each) => !names.has(each.key));
  return fresh.length ? [...known, ...byUse(fresh)] : known;
}
