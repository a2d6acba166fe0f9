/** The curves of a metric in a component, growing while iterations run. */
import { useEffect, useRef } from "preact/hooks";
import type { Entry } from "../state/cache.ts";
import { cache, useLoaded } from "../state/use.ts";
import { extend, isStale, type Progress, progressOf, Tails } from "./live.ts";
import type { Curves, Row } from "./model.ts";
import { type Asked, readCurves } from "./read.ts";

interface Read {
  curves: Curves;
  progress: Progress;
}

const tails = new Tails();

export function useCurves(key: string, rows: readonly Row[], asked: Asked): Entry<Curves> {
  const having = rows.filter((row) => row.metrics[key]);
  const name = `curves ${JSON.stringify([key, asked, having.map((row) => row.id)])}`;
  const latest = useRef(rows);
  latest.current = rows;
  const load = async (): Promise<Read> => {
    const progress = progressOf(latest.current, key);
    return { curves: await readCurves(latest.current, key, asked), progress };
  };
  const { data: read, ...state } = useLoaded<Read>(name, load);
  const data = useLast(read, `${key} ${asked.x}`);
  const isOld = data !== undefined && !state.loading && isStale(data.progress, having, key);
  useEffect(() => {
    if (isOld) cache.reload(name);
  }, [isOld, name]);
  for (const row of having) tails.note(row, key);
  return { ...state, ...(data ? { data: grown(data, key, asked) } : {}) };
}

/** The last value that was there, while another is read: the curves of a smaller or larger part of the same x. */
function useLast<T>(value: T | undefined, of: string): T | undefined {
  const last = useRef<{ value: T | undefined; of: string }>({ value, of });
  if (value !== undefined || last.current.of !== of) last.current = { value, of };
  return last.current.value;
}

/** Steps are in the summaries; of a time only a new read tells. */
function grown({ curves, progress }: Read, key: string, { x, zoom }: Asked): Curves {
  if (x !== "step" || zoom) return curves;
  return extend(curves, (id, step) => tails.after(id, key, Math.max(step, progress.get(id)?.lastStep ?? step)));
}
