/** The curves of a metric in a component, growing while iterations run. */
import { useEffect, useRef } from "preact/hooks";
import type { Entry } from "../state/cache.ts";
import { cache, useLoaded } from "../state/use.ts";
import { type Counts, countsOf, extend, isStale, Tails } from "./live.ts";
import type { Curves, Row } from "./model.ts";
import { type Asked, readCurves } from "./read.ts";

interface Read {
  curves: Curves;
  counts: Counts;
}

const tails = new Tails();

export function useCurves(key: string, rows: readonly Row[], asked: Asked): Entry<Curves> {
  const having = rows.filter((row) => row.metrics[key]);
  const name = `curves ${JSON.stringify([key, asked, having.map((row) => row.id)])}`;
  const latest = useRef(having);
  latest.current = having;
  const load = async (signal: AbortSignal): Promise<Read> => {
    const counts = countsOf(latest.current, key);
    return { curves: await readCurves(latest.current, key, asked, signal), counts };
  };
  const { data: read, ...state } = useLoaded<Read>(name, load);
  const data = useLast(read, `${key} ${asked.x}`);
  const isOld = data !== undefined && !state.loading && isStale(data.counts, having, key);
  useEffect(() => {
    if (isOld) cache.reload(name);
  }, [isOld, name]);
  for (const row of having) tails.note(row, key);
  return { ...state, ...(data ? { data: grown(data.curves, key, asked) } : {}) };
}

/** The last value that was there, while another is read: the curves of a smaller or larger part of the same x. */
function useLast<T>(value: T | undefined, of: string): T | undefined {
  const last = useRef<{ value: T | undefined; of: string }>({ value, of });
  if (value !== undefined || last.current.of !== of) last.current = { value, of };
  return last.current.value;
}

/** Steps are in the summaries; of a time only a new read tells. */
function grown(curves: Curves, key: string, { x, zoom }: Asked): Curves {
  return x === "step" && !zoom ? extend(curves, (id, step) => tails.after(id, key, step)) : curves;
}
