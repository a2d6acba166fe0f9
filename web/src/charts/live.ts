/** Curves of running iterations grow by the last points that polls bring; the whole curve is read again rarely. */
import type { Curves, Row } from "./model.ts";

type Tail = Map<number, number>;

/** The points that polls have brought, by iteration and metric. */
export class Tails {
  readonly #tails = new Map<string, Tail>();

  note(row: Row, key: string): void {
    const summary = row.metrics[key];
    if (!row.running || !summary || typeof summary.last !== "number") return;
    const name = `${row.id} ${key}`;
    const tail = this.#tails.get(name) ?? new Map();
    tail.set(summary.last_step, summary.last);
    this.#tails.set(name, tail);
  }

  /** The points behind a step, in order; those before it are forgotten. */
  after(id: string, key: string, step: number): [step: number, value: number][] {
    const tail = this.#tails.get(`${id} ${key}`);
    for (const each of tail?.keys() ?? []) if (each <= step) tail?.delete(each);
    return [...(tail ?? [])].sort(([a], [b]) => a - b);
  }
}

/** The curves, and behind the end of each line the points of its tail. */
export function extend(curves: Curves, tailOf: (id: string, lastStep: number) => readonly [number, number][]): Curves {
  const tails = curves.lines.map((line) => new Map(tailOf(line.id, lastX(curves.x, line.last))));
  const end = curves.x.at(-1) ?? Number.NEGATIVE_INFINITY;
  const later = [...new Set(tails.flatMap((each) => [...each.keys()]))].filter((x) => x > end).sort((a, b) => a - b);
  if (!later.length) return curves;
  const lines = curves.lines.map((line, at) => {
    const added = later.map((x) => tails[at]?.get(x));
    return {
      ...line,
      last: [...line.last, ...added],
      min: [...line.min, ...added],
      max: [...line.max, ...added],
    };
  });
  const added = tails.reduce((sum, tail) => sum + [...tail.keys()].filter((x) => x > end).length, 0);
  return { ...curves, x: [...curves.x, ...later], lines, shown: curves.shown + added };
}

function lastX(x: readonly number[], values: readonly unknown[]): number {
  const at = values.findLastIndex((each) => each !== undefined);
  return at < 0 ? Number.NEGATIVE_INFINITY : (x[at] as number);
}

/** How far each iteration was when its curve was read. */
export type Progress = ReadonlyMap<string, { count: number; lastStep: number }>;

export function progressOf(rows: readonly Row[], key: string): Progress {
  return new Map(
    rows.flatMap(({ id, metrics: { [key]: summary } }) =>
      summary ? [[id, { count: summary.count, lastStep: summary.last_step }]] : [],
    ),
  );
}

const GROWTH = 1.1;

/** True if a curve has begun or grown by a tenth since it was read, or has ended with more points than were read. */
export function isStale(read: Progress, rows: readonly Row[], key: string): boolean {
  return rows.some((row) => {
    const [now, then] = [row.metrics[key]?.count ?? 0, read.get(row.id)?.count ?? 0];
    return row.running ? now > then * GROWTH : now > then;
  });
}
