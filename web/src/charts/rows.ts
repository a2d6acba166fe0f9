/** The iterations that charts show, with the summaries of their metrics. A feed brings those of running ones. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { urlOf } from "../api/url.ts";
import { RUNNING } from "../api/words.ts";
import { api } from "../state/api.ts";
import type { Entry } from "../state/cache.ts";
import { follow } from "../state/follow.ts";
import { keepGrown, keepRow } from "../state/iteration-row.ts";
import { cache, useLoaded } from "../state/use.ts";
import type { Row } from "./model.ts";
import type { OfTable } from "./of-table.ts";
import { runsQuery } from "./runs-query.ts";
import { Summaries } from "./summaries.ts";

type Schemas = components["schemas"];

/** An iteration without its metrics. */
export type Run = Omit<Row, "metrics"> & { parameters: Readonly<Record<string, string>> };

const LIST_SECONDS = 30;
/** What was read ahead is not read again for the charts. */
const FRESH_MS = 2000;

/** The first iterations of an experiment by a filter and an order, with their parameters. */
export function useRuns(experimentId: string, { filter, order }: Pick<OfTable, "filter" | "order">): Entry<Run[]> {
  const { path, ids } = listOf(experimentId);
  const query = runsQuery(filter, order);
  const given = { ids, query };
  const load = async (signal: AbortSignal) =>
    runsOf(experimentId, (await api.send("get", path, { ...given, signal })) as Schemas["IterationTable"]);
  return useLoaded<Run[]>(`runs ${urlOf(path, ids, query)}`, load, { every: LIST_SECONDS });
}

function listOf(experimentId: string) {
  const path = "/experiments/{experiment_id}/iterations";
  const ids = { experiment_id: experimentId };
  return { path, ids, keys: `runs ${urlOf(path, ids)}` } as const;
}

function runsOf(experimentId: string, { ids, columns }: Schemas["IterationTable"]): Run[] {
  const { name, status_id, created_date } = columns.fields;
  const parameters = Object.entries(columns.parameters ?? {});
  return ids.map((id, at) => ({
    id,
    experiment_id: experimentId,
    name: name?.[at] ?? id,
    running: status_id?.[at] === RUNNING,
    created_date: created_date?.[at] ?? "",
    parameters: Object.fromEntries(
      parameters.flatMap(([key, values]) => [[key, values[at]]]).filter(([, v]) => v != null),
    ),
  }));
}

/** Iterations by their ids, from any experiments. */
export function useRunsById(ids: readonly string[]): { data?: Run[]; error?: unknown } {
  const entries = useEach(
    ids,
    (id) => `/iterations/${id}`,
    (id, signal) => api.send("get", "/iterations/{iteration_id}", { ids: { iteration_id: id }, signal }),
  );
  const error = entries.find((each) => each.error)?.error;
  if (entries.some((each) => !each.data)) return error ? { error } : {};
  return { data: entries.map((each) => runOf(each.data as Schemas["Iteration"])) };
}

function runOf(iteration: Schemas["Iteration"]): Run {
  const { id, experiment_id, name, status_id, created_date } = iteration;
  return { id, experiment_id, name: name ?? id, running: status_id === RUNNING, created_date, parameters: {} };
}

const summaries = new Summaries<Row["metrics"]>(
  (experimentId, ids) =>
    api.send("get", "/experiments/{experiment_id}/metrics/summary", {
      ids: { experiment_id: experimentId },
      query: { iteration_id: ids },
    }) as Promise<{ data: Record<string, Row["metrics"]>; left: string[] }>,
);

/** The entry of each iteration's summaries. Call it early with ids that `useRows` will need: the cache keeps them. */
export function useSummaries(ids: readonly string[], experimentOf: (id: string) => string) {
  return useEach(
    ids,
    (id) => `/iterations/${id}/metrics/summary`,
    async (id) => ({ data: (await summaries.load(experimentOf(id), id)) ?? {} }),
  );
}

/** These iterations with their summaries, as far as they are known. */
export function useRows(runs: readonly Run[]): { rows: Row[]; loading: boolean; error?: unknown } {
  const experiments = new Map(runs.map((each) => [each.id, each.experiment_id]));
  const entries = useSummaries(
    runs.map((each) => each.id),
    (id) => experiments.get(id) ?? "",
  );
  useFeed(runs);
  const rows = runs.map((run, at) => ({ ...run, metrics: (entries[at]?.data as Schemas["Summaries"])?.data ?? {} }));
  const error = entries.find((each) => each.error)?.error;
  return { rows, loading: entries.some((each) => !each.data && !each.error), ...(error ? { error } : {}) };
}

/** While one of them runs: put what the feed of their experiments brings in place of what was read. */
function useFeed(runs: readonly Run[]): void {
  const latest = useRef(runs);
  latest.current = runs;
  const hasRun = useRef(false);
  hasRun.current ||= runs.some((each) => each.running);
  const key = `${hasRun.current} ${runs.map((each) => each.id).join()}`;
  useEffect(() => {
    if (!hasRun.current) return;
    const stops = [...Map.groupBy(latest.current, (run) => run.experiment_id)].map(([experimentId, own]) =>
      follow(
        experimentId,
        () => ({ ids: own.map((each) => each.id), parameters: [] }),
        ({ data, grown }) => {
          for (const row of data) keep(row, latest.current);
          keepGrown(grown);
        },
      ),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }, [key]);
}

function keep(row: Schemas["IterationOverview"], runs: readonly Run[]): void {
  keepRow(row);
  const known = runs.find((each) => each.id === row.id);
  if (known && known.running !== (row.status_id === RUNNING)) cache.invalidate(listOf(row.experiment_id).keys);
}

type Load = (id: string, signal: AbortSignal) => Promise<unknown>;

/** One entry of the cache for each id. */
function useEach(
  ids: readonly string[],
  keyOf: (id: string) => string,
  load: Load,
): (Entry<unknown> & { key: string })[] {
  const list = ids.join();
  const used = useMemo(
    () =>
      ids.map((id) => ({
        key: keyOf(id),
        used: cache.use<unknown>(keyOf(id), (signal) => load(id, signal), FRESH_MS),
      })),
    [list],
  );
  useEffect(
    () => () => {
      for (const each of used) each.used[1]();
    },
    [used],
  );
  return used.map(({ key, used: [entry] }) => ({ key, ...entry.value }));
}
