/** The curves of one metric, from the server. */
import type { components } from "../api/operations.ts";
import { api } from "../state/api.ts";
import { Batch } from "./batch.ts";
import { curvesOf, type GridCurve, merged, type OfMetric, pairsOf } from "./from-api.ts";
import { type Points, toGrid } from "./grid.ts";
import type { Curves, Row } from "./model.ts";
import type { Zoom } from "./settings.ts";

export const BUCKETS = 500;
/** Of the numbers: more than any screen shows, in half the bytes. */
const DIGITS = 9;
/** The server's limits of one request and of one page. */
const MOST_KEYS = 50;
const BUCKETS_OF_PAGE = 60_000;
const MS = 1000;

/** `x`: "step", "relative" (seconds since the start of an iteration), "time" (seconds since 1970) or "metric:KEY". */
export interface Asked {
  x: string;
  zoom: Zoom | undefined;
}

interface Range {
  x: string;
  min_x?: number;
  max_x?: number;
}

const batch = new Batch<OfMetric>();

/** `rows`: those of all charts of the page, so that their requests can be one. */
export async function readCurves(rows: readonly Row[], key: string, asked: Asked): Promise<Curves> {
  const having = [...Map.groupBy(rows, (row) => row.experiment_id).values()].filter((own) =>
    own.some((row) => row.metrics[key]),
  );
  const other = asked.x.startsWith("metric:") ? asked.x.slice("metric:".length) : undefined;
  const reads = having.map((own) =>
    other === undefined ? readOver(own, key, asked) : readOverMetric(own, key, other, asked.zoom),
  );
  return merged(await Promise.all(reads));
}

async function readOver(rows: readonly Row[], key: string, { x, zoom }: Asked): Promise<Curves> {
  const unit = x === "step" ? 1 : MS;
  const range = zoom ? { min_x: Math.ceil(zoom[0] * unit), max_x: Math.floor(zoom[1] * unit) } : {};
  return curvesOf((await wantMetric(rows, key, { x, ...range })) ?? NOTHING, idsOf(rows), unit);
}

const NOTHING: OfMetric = { x: [], curves: {} };

/** Both metrics on one grid of steps, which has no part for a part of the other metric. */
async function readOverMetric(
  rows: readonly Row[],
  key: string,
  other: string,
  zoom: Zoom | undefined,
): Promise<Curves> {
  const found = await fetchMetrics(rows, [...new Set([key, other])], { x: "step" });
  const points = pairsOf(found.get(key) ?? NOTHING, found.get(other) ?? NOTHING, idsOf(rows));
  return toGrid(
    points.map((each) => inside(each, zoom)),
    BUCKETS,
  );
}

function inside({ id, x, values }: Points, zoom: Zoom | undefined): Points {
  const places = x.flatMap((each, at) => (!zoom || (each >= zoom[0] && each <= zoom[1]) ? at : []));
  return { id, x: places.map((at) => x[at] as number), values: places.map((at) => values[at] ?? "NaN") };
}

function idsOf(rows: readonly Row[]): string[] {
  return rows.map((row) => row.id);
}

/** With the other metrics that are wanted now. A request has one grid: it is for metrics of about as many steps. */
function wantMetric(rows: readonly Row[], key: string, range: Range): Promise<OfMetric | undefined> {
  const steps = Math.max(1, ...rows.map((row) => row.metrics[key]?.last_step ?? 0));
  const alike = range.min_x === undefined ? Math.round(4 * Math.log2(steps)) : 0;
  const most = Math.max(1, Math.min(MOST_KEYS, Math.floor(BUCKETS_OF_PAGE / (BUCKETS * rows.length))));
  const group = JSON.stringify([rows[0]?.experiment_id, idsOf(rows), range, alike]);
  return batch.want(group, key, most, (keys) => fetchMetrics(rows, keys, range));
}

async function fetchMetrics(rows: readonly Row[], keys: string[], range: Range): Promise<Map<string, OfMetric>> {
  const ids = { experiment_id: rows[0]?.experiment_id ?? "" };
  const query = { key: keys, iteration_id: idsOf(rows), buckets: BUCKETS, digits: DIGITS, ...range };
  const found = new Map(
    keys.map((key) => [key, { x: [] as readonly number[], curves: {} as Record<string, GridCurve> }]),
  );
  let cursor: string | null = null;
  do {
    const given = { ids, query: { ...query, ...(cursor ? { cursor } : {}) } };
    const path = "/experiments/{experiment_id}/metrics/curves";
    const page = (await api.send("get", path, given)) as components["schemas"]["Chart"];
    for (const [key, curves] of Object.entries(page.data)) {
      const own = found.get(key);
      if (own) found.set(key, { x: page.x, curves: { ...own.curves, ...curves } });
    }
    cursor = page.next_cursor;
  } while (cursor !== null);
  return found;
}
