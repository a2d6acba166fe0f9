/** The requests that pages begin with, as paths. They are those that the pages send: a test compares them. */
import { urlOf } from "../api/url.ts";
import { runsQuery } from "../charts/runs-query.ts";
import { keptPreferences } from "../state/kept.ts";
import type { Ids } from "../state/location.ts";
import { FIRST, firstParts, NEWEST_FIRST, queriesOf } from "../table/rows/request.ts";
import { split, stateOf } from "../table/settings.ts";

type Query = Readonly<Record<string, string>>;

const ITERATIONS = "/experiments/{experiment_id}/iterations";

export function asksOfHome(): string[] {
  return [urlOf("/projects", {}, { limit: 200 }), urlOf("/activity", {}, { limit: 15 })];
}

/** The first rows, unless a column orders them: its name in the API is not known here. */
export function asksOfTable({ experimentId = "" }: Ids, query: Query): string[] {
  const state = stateOf(query, keptPreferences(), experimentId);
  const wanted = {
    experimentId,
    filter: state.filter ?? "",
    order: NEWEST_FIRST,
    parts: firstParts(split(state.columns)),
  };
  const ids = { experiment_id: experimentId };
  const rows = state.sort ? [] : queriesOf(wanted, FIRST).map((each) => urlOf(ITERATIONS, ids, each));
  return [...rows, urlOf("/experiments/{experiment_id}", ids)];
}

export function asksOfCharts({ experimentId = "" }: Ids, query: Query): string[] {
  const ids = { experiment_id: experimentId };
  const shown = query["chart-shown"]?.split(",") ?? [];
  const asksForThem = shown.length > 0 && shown.length <= 100 && query["chart-shown"] !== "none";
  return [
    ...(query.sort ? [] : [urlOf(ITERATIONS, ids, runsQuery(query.filter, NEWEST_FIRST))]),
    ...(asksForThem ? [urlOf("/experiments/{experiment_id}/metrics/summary", ids, { iteration_id: shown })] : []),
    urlOf("/experiments/{experiment_id}", ids),
  ];
}

export function asksOfIteration({ iterationId = "" }: Ids): string[] {
  return [urlOf("/iterations/{iteration_id}", { iteration_id: iterationId })];
}

export function asksOfProject({ projectId = "" }: Ids): string[] {
  return [urlOf("/projects/{project_id}", { project_id: projectId })];
}
