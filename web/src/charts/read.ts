/** The curves of one metric, from the server. */
import type { WireNumber } from "../components/format.ts";
import { api } from "../state/api.ts";
import { overMetric, type Points, toGrid } from "./grid.ts";
import type { Curves, Row } from "./model.ts";
import type { Zoom } from "./settings.ts";

export const BUCKETS = 500;

/** `x`: "step", "relative" (seconds since the start of an iteration), "time" (seconds since 1970) or "metric:KEY". */
export interface Asked {
  x: string;
  zoom: Zoom | undefined;
}

interface Column {
  step: number[];
  value: WireNumber[];
  recorded_at: string[];
}

export async function readCurves(
  rows: readonly Row[],
  key: string,
  asked: Asked,
  signal: AbortSignal,
): Promise<Curves> {
  const other = asked.x.startsWith("metric:") ? asked.x.slice("metric:".length) : undefined;
  const read = (each: string) => readPoints(rows, each, asked, signal);
  if (other === undefined) return inSteps(toGrid(cut(await read(key), asked.zoom), BUCKETS), asked.x);
  const [y, x] = await Promise.all([read(key), read(other)]);
  return toGrid(cut(overMetric(y, x), asked.zoom), BUCKETS);
}

/** A bucket of steps stands at a whole step. */
function inSteps(curves: Curves, x: string): Curves {
  return x === "step" ? { ...curves, x: curves.x.map(Math.floor) } : curves;
}

function cut(points: readonly Points[], zoom: Zoom | undefined): readonly Points[] {
  if (!zoom) return points;
  return points.map(({ id, x, values }) => {
    const inside = x.flatMap((each, at) => (each >= zoom[0] && each <= zoom[1] ? at : []));
    return { id, x: inside.map((at) => x[at] as number), values: inside.map((at) => values[at] as WireNumber) };
  });
}

async function readPoints(rows: readonly Row[], key: string, asked: Asked, signal: AbortSignal): Promise<Points[]> {
  const having = rows.filter((row) => row.metrics[key]);
  const experiments = Map.groupBy(having, (row) => row.experiment_id);
  const columns = new Map<string, Column>();
  const reads = [...experiments].map(([id, own]) => readExperiment(id, own, key, asked, signal, columns));
  await Promise.all(reads);
  return having.map((row) => pointsOf(row, columns.get(row.id), asked.x));
}

/** Into `columns`: of each bucket the server sends the lowest and the highest point. */
async function readExperiment(
  experimentId: string,
  rows: readonly Row[],
  key: string,
  { x, zoom }: Asked,
  signal: AbortSignal,
  columns: Map<string, Column>,
): Promise<void> {
  const steps = x === "step" && zoom ? { min_step: Math.ceil(zoom[0]), max_step: Math.floor(zoom[1]) } : {};
  const query = { key, iteration_id: rows.map((row) => row.id), max_points: 2 * BUCKETS, ...steps };
  let cursor: string | null = null;
  do {
    const ids = { experiment_id: experimentId };
    const given = { ids, query: { ...query, ...(cursor ? { cursor } : {}) }, signal };
    const page = (await api.send("get", "/experiments/{experiment_id}/metrics/series", given)) as {
      data: Record<string, Column>;
      next_cursor: string | null;
    };
    for (const [id, column] of Object.entries(page.data)) columns.set(id, column);
    cursor = page.next_cursor;
  } while (cursor !== null);
}

function pointsOf(row: Row, column: Column | undefined, x: string): Points {
  if (!column) return { id: row.id, x: [], values: [] };
  const isTime = x === "relative" || x === "time";
  const start = x === "relative" ? Date.parse(row.created_date) : 0;
  const places = isTime ? column.recorded_at.map((each) => (Date.parse(each) - start) / 1000) : column.step;
  return { id: row.id, x: places, values: column.value };
}
