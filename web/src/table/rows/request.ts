/** The request that reads rows of the table as columns. */
import { quotedText } from "../columns/columns.ts";
import { MOST_READ } from "./keys.ts";
import { FIELDS, type Part } from "./model.ts";

export interface Wanted {
  experimentId: string;
  filter: string;
  order: string;
  /** The keys of parameters and metrics; undefined for those that most rows have. */
  keys?: { parameters: readonly string[]; metrics: readonly string[] } | undefined;
  parts: readonly Part[];
}

export const NEWEST_FIRST = "created_date desc";
const PAGE = 1000;
/** An answer of more cells would be long to wait for. */
const CELLS = 150_000;
/** Of the columns where all keys are read: most experiments have fewer. */
const USUAL_COLUMNS = 100;

export function queryOf({ filter, order, keys, parts }: Wanted) {
  const named = keys ? keys.parameters.length + keys.metrics.length * parts.length : USUAL_COLUMNS;
  return {
    format: "columns",
    fields: FIELDS,
    include: keys ? "tags" : "parameters,metrics,tags",
    ...(keys ? { parameters: keys.parameters, metrics: keys.metrics } : { most_keys: MOST_READ }),
    parts,
    order_by: order,
    filter: filter || undefined,
    limit: Math.max(50, Math.min(PAGE, Math.floor(CELLS / Math.max(1, named)))),
  };
}

/** The same columns of the iterations with these ids, whatever the filter says. */
export function ofIds(wanted: Wanted, ids: readonly string[]): Wanted {
  return { ...wanted, order: NEWEST_FIRST, filter: `id in (${ids.map(quotedText).join(", ")})` };
}
