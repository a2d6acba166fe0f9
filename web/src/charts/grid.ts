/** Points of several iterations on one grid of x. */
import type { WireNumber } from "../components/format.ts";
import type { Curves, Line, Mark, Values } from "./model.ts";

export interface Points {
  id: string;
  x: readonly number[];
  values: readonly WireNumber[];
}

/**
 * Exact where the iterations have at most `buckets` different x. Else the span is cut into equal buckets, each at the
 * mean of its ends, with the last value, the minimum and the maximum of its points.
 */
export function toGrid(given: readonly Points[], buckets: number): Curves {
  const exact = [...new Set(given.flatMap((each) => [...each.x]))].sort((a, b) => a - b);
  if (exact.length <= buckets) {
    const index = new Map(exact.map((x, at) => [x, at]));
    return fill(given, exact, (x) => index.get(x) as number);
  }
  const from = exact[0] as number;
  const width = ((exact.at(-1) as number) - from) / buckets;
  const centres = Array.from({ length: buckets }, (_, at) => from + (at + 0.5) * width);
  return fill(given, centres, (x) => Math.min(buckets - 1, Math.floor((x - from) / width)));
}

function fill(given: readonly Points[], x: number[], bucketOf: (x: number) => number): Curves {
  let bucketed = false;
  const lines = given.map((each) => {
    const line = emptyLine(each.id, x.length);
    for (const at of inOrder(each.x)) {
      const bucket = bucketOf(each.x[at] as number);
      const value = each.values[at] as WireNumber;
      bucketed ||= line.last[bucket] !== undefined;
      if (typeof value === "string") note(line, bucket, { x: x[bucket] as number, kind: value });
      else add(line, bucket, value);
    }
    return line;
  });
  return { x, lines, bucketed, shown: given.reduce((sum, each) => sum + each.x.length, 0) };
}

export function emptyLine(id: string, length: number): Line {
  const values = (): Values => new Array(length).fill(undefined);
  return { id, last: values(), min: values(), max: values(), marks: [] };
}

function inOrder(x: readonly number[]): number[] {
  const order = x.map((_, at) => at);
  const sorted = x.every((value, at) => at === 0 || (x[at - 1] as number) <= value);
  return sorted ? order : order.sort((a, b) => (x[a] as number) - (x[b] as number));
}

function add(line: Line, at: number, value: number): void {
  line.last[at] = value;
  line.min[at] = Math.min(line.min[at] ?? value, value);
  line.max[at] = Math.max(line.max[at] ?? value, value);
}

function note(line: Line, at: number, mark: Mark): void {
  for (const values of [line.last, line.min, line.max]) values[at] ??= null;
  if (!line.marks.some((each) => each.x === mark.x && each.kind === mark.kind)) line.marks.push(mark);
}
