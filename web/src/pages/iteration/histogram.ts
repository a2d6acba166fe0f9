/** A histogram as the client logs it: `{"kind": "histogram", "edges": […], "counts": […], "not_finite": 0}`. */

export interface HistogramData {
  edges: number[];
  counts: number[];
  notFinite: number;
}

export interface Bar {
  x: number;
  y: number;
  width: number;
  height: number;
  /** What it says when the pointer rests on it. */
  from: number;
  to: number;
  count: number;
}

const MOST_BINS = 2000;

/** Undefined if the text is anything else. */
export function histogramOf(text: string): HistogramData | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof found !== "object" || found === null) return undefined;
  const { kind, edges, counts, not_finite } = found as Record<string, unknown>;
  if (kind !== "histogram" || !areNumbers(edges) || !areNumbers(counts)) return undefined;
  const rises = edges.every((each, index) => index === 0 || each > (edges[index - 1] ?? each));
  if (edges.length !== counts.length + 1 || counts.length > MOST_BINS || !rises || counts.some((each) => each < 0)) {
    return undefined;
  }
  return { edges, counts, notFinite: typeof not_finite === "number" ? not_finite : 0 };
}

/** The bars in a square of the side 1, with 0 at its top. Their areas are as the counts, also in bins of unequal width. */
export function barsOf({ edges, counts }: HistogramData): Bar[] {
  const [low, high] = [edges[0] ?? 0, edges.at(-1) ?? 1];
  const at = (value: number) => value / (high - low) - low / (high - low);
  const bars = counts.map((count, index) => {
    const [from, to] = [edges[index] ?? low, edges[index + 1] ?? high];
    return { x: at(from), width: at(to) - at(from), from, to, count };
  });
  const tallest = Math.max(...bars.map((each) => each.count / each.width), 0) || 1;
  return bars.map((each) => {
    const height = each.count / each.width / tallest;
    return { ...each, y: 1 - height, height };
  });
}

function areNumbers(values: unknown): values is number[] {
  return Array.isArray(values) && values.every((each) => typeof each === "number" && Number.isFinite(each));
}
