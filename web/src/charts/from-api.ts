/** Curves as the API answers them, as charts use them. */
import type { WireNumber } from "../components/format.ts";
import { emptyLine, type Points } from "./grid.ts";
import type { Curves, Line } from "./model.ts";

/** One curve on the grid of an answer. */
export interface GridCurve {
  last: (WireNumber | null)[];
  min: (WireNumber | null)[];
  max: (WireNumber | null)[];
  count: number[];
  nan: number[];
  total: number;
}

/** The curves of one metric by iteration, with the x of their buckets. */
export interface OfMetric {
  x: readonly number[];
  curves: Readonly<Record<string, GridCurve>>;
}

/** `ids`: the order of the lines. `unit`: how much of the API's x is one of the chart's. Empty buckets are left out. */
export function curvesOf(given: OfMetric, ids: readonly string[], unit: number): Curves {
  const named = ids.flatMap((id) => given.curves[id] ?? []);
  const filled = given.x.flatMap((_, at) => (named.some((each) => (each.count[at] ?? 0) > 0) ? at : []));
  const x = filled.map((at) => (given.x[at] as number) / unit);
  const lines = ids.flatMap((id) => {
    const curve = given.curves[id];
    return curve ? lineOf(id, curve, filled, x) : [];
  });
  return {
    x,
    lines,
    bucketed: named.some((each) => each.count.some((count) => count > 1)),
    shown: named.reduce((sum, each) => sum + each.count.reduce((all, count) => all + count, 0), 0),
  };
}

function lineOf(id: string, curve: GridCurve, filled: readonly number[], x: readonly number[]): Line {
  const line = emptyLine(id, x.length);
  for (const [to, from] of filled.entries()) {
    if (!curve.count[from]) continue;
    const { last, min, max } = curve;
    const value = finite(last[from]) ?? finite(min[from]) ?? finite(max[from]);
    line.last[to] = value;
    line.min[to] = finite(min[from]) ?? value;
    line.max[to] = finite(max[from]) ?? value;
    for (const kind of oddOnes(curve, from)) line.marks.push({ x: x[to] as number, kind });
  }
  return line;
}

function finite(value: WireNumber | null | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function oddOnes({ last, min, max, nan }: GridCurve, at: number) {
  const ends = [last[at], min[at], max[at]];
  const found = (["Infinity", "-Infinity"] as const).filter((kind) => ends.includes(kind));
  return nan[at] ? [...found, "NaN" as const] : found;
}

/** Over another metric on the same grid: a bucket that has both is a point. */
export function pairsOf(y: OfMetric, x: OfMetric, ids: readonly string[]): Points[] {
  return ids.flatMap((id) => {
    const [ys, xs] = [y.curves[id], x.curves[id]];
    if (!ys || !xs) return [];
    const both = y.x.flatMap((_, at) => (typeof xs.last[at] === "number" && ys.count[at] ? at : []));
    return {
      id,
      x: both.map((at) => xs.last[at] as number),
      values: both.map((at) => ys.last[at] ?? "NaN"),
    };
  });
}

/** Curves of several experiments, each on a grid of its own, on the grid of all. */
export function merged(given: readonly Curves[]): Curves {
  const [first] = given;
  if (given.length === 1 && first) return first;
  const x = [...new Set(given.flatMap((each) => each.x))].sort((a, b) => a - b);
  const index = new Map(x.map((value, at) => [value, at]));
  const lines = given.flatMap((curves) =>
    curves.lines.map((line) => {
      const moved = { ...emptyLine(line.id, x.length), marks: line.marks };
      for (const [from, value] of curves.x.entries()) {
        const to = index.get(value) as number;
        for (const part of ["last", "min", "max"] as const) moved[part][to] = line[part][from];
      }
      return moved;
    }),
  );
  const shown = given.reduce((sum, each) => sum + each.shown, 0);
  return { x, lines, bucketed: given.some((each) => each.bucketed), shown };
}
