/** Histograms of one key over its steps, as a picture: a column for each step, darker where more values are. */
import type { HistogramData } from "./histogram.ts";

export interface Heat {
  low: number;
  high: number;
  /** For each step, from the lowest bin: the share of its values, from 0 to 1 of the greatest share. */
  columns: { step: number; shares: number[] }[];
}

const BINS = 40;

export function heatOf(given: readonly { step: number; data: HistogramData }[]): Heat | undefined {
  const edges = given.flatMap(({ data }) => data.edges);
  if (!edges.length) return undefined;
  const [low, high] = [edges.reduce((a, b) => Math.min(a, b)), edges.reduce((a, b) => Math.max(a, b))];
  const columns = given.map(({ step, data }) => ({ step, shares: sharesOf(data, low, high) }));
  const most = Math.max(...columns.flatMap((each) => each.shares)) || 1;
  return {
    low,
    high,
    columns: columns.map(({ step, shares }) => ({ step, shares: shares.map((each) => each / most) })),
  };
}

/** The values of each bin are spread evenly over the bins of the picture. */
function sharesOf({ edges, counts }: HistogramData, low: number, high: number): number[] {
  const shares = new Array<number>(BINS).fill(0);
  const total = counts.reduce((sum, each) => sum + each, 0) || 1;
  const at = (value: number) => ((value / 2 - low / 2) / (high / 2 - low / 2)) * BINS;
  for (const [index, count] of counts.entries()) {
    const [from, to] = [at(edges[index] ?? low), at(edges[index + 1] ?? high)];
    for (let bin = Math.floor(from); bin < Math.min(BINS, to); bin += 1) {
      const part = (Math.min(to, bin + 1) - Math.max(from, bin)) / (to - from);
      shares[bin] = (shares[bin] ?? 0) + (part * count) / total;
    }
  }
  return shares;
}

/** At most so many, the first and the last among them. */
export function evenly<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.round((at * (all.length - 1)) / (most - 1))] as T);
}
