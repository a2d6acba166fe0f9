/** All iterations of an experiment with their parameters and the last values of some metrics. */
import type { components } from "../api/operations.ts";
import { urlOf } from "../api/url.ts";
import { api } from "../state/api.ts";
import type { Entry } from "../state/cache.ts";
import { useGet, useLoaded } from "../state/use.ts";
import { filterOfIds } from "../table/rows/request.ts";
import { type Dimension, dimensionOf } from "./dimension.ts";
import type { Sweep } from "./narrowed.ts";
import type { OfTable } from "./of-table.ts";

type Schemas = components["schemas"];

export const MOST = 1000;
/** A filter by ids of so many fits a URL. More are found among the first iterations of the table. */
const MOST_IDS = 80;

/** The keys in use: parameters and metrics by their full names. */
export function useNames(
  experimentId: string,
): { parameters: string[]; metrics: string[]; error?: unknown } | undefined {
  const { data, error } = useGet("/experiments/{experiment_id}/keys", { ids: { experiment_id: experimentId } });
  if (!data) return error ? { parameters: [], metrics: [], error } : undefined;
  return {
    parameters: data.parameters.map(({ key }) => `parameters.${key}`),
    metrics: data.metrics.map(({ key }) => `metrics.${key}`),
  };
}

/** The first iterations by the filter and the order of the table, or the selected; all parameters and these metrics. */
export function useSweep(
  experimentId: string,
  { filter, order }: Pick<OfTable, "filter" | "order">,
  metrics: readonly string[],
  selected: readonly string[],
): Entry<Sweep> {
  const path = "/experiments/{experiment_id}/iterations";
  const ids = { experiment_id: experimentId };
  const query = {
    format: "columns",
    fields: ["name"],
    include: "parameters",
    metrics: metrics.map((name) => name.slice("metrics.".length)),
    filter: selected.length && selected.length <= MOST_IDS ? filterOfIds(selected) : filter,
    order_by: order,
    limit: MOST,
  };
  const load = async (signal: AbortSignal) =>
    sweepOf((await api.send("get", path, { ids, query, signal })) as Schemas["IterationTable"]);
  return useLoaded<Sweep>(`sweep ${urlOf(path, ids, query)}`, load, { every: 60 });
}

function sweepOf({ ids, columns }: Schemas["IterationTable"]): Sweep {
  const parameters = Object.entries(columns.parameters ?? {}).map(([key, values]) =>
    dimensionOf(`parameters.${key}`, values),
  );
  const metrics = Object.entries(columns.metrics ?? {}).map(([key, { last }]) =>
    dimensionOf(`metrics.${key}`, last ?? []),
  );
  const names = ids.map((id, at) => columns.fields.name?.[at] ?? id);
  return { ids, names, dimensions: new Map([...parameters, ...metrics].map((each) => [each.name, each])) };
}

/** Parameters with more than one value. */
export function varying({ dimensions }: Sweep): Dimension[] {
  return [...dimensions.values()].filter(
    ({ name, values }) =>
      name.startsWith("parameters.") && new Set(values.filter((each) => each !== undefined)).size > 1,
  );
}
