/** Where a value is in a curve. */
import type { Values } from "./model.ts";

/** The index of the x that is nearest to a number; -1 if there is none. `xs` is in order. */
export function nearest(xs: readonly number[], x: number): number {
  if (!xs.length) return -1;
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] as number) < x) low = middle;
    else high = middle;
  }
  return x - (xs[low] as number) <= (xs[high] as number) - x ? low : high;
}

/** The value of a curve at an index, or where it has no point there, its last one before, if it goes on behind. */
export function valueAt(values: Values, index: number): number | null | undefined {
  const value = values[index];
  if (value !== undefined) return value;
  const before = values.findLastIndex((each, at) => at < index && each !== undefined);
  const goesOn = values.some((each, at) => at > index && each !== undefined);
  return before >= 0 && goesOn ? values[before] : undefined;
}
