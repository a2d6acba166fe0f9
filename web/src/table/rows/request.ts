/** The request that reads rows of the table as columns. */
import { quotedText } from "../columns/quoted.ts";
import { MOST_READ } from "./keys.ts";
import { FIELDS, PARTS, type Part } from "./model.ts";
import type { Sorting } from "./order.ts";

export interface Named {
  parameters: readonly string[];
  metrics: readonly string[];
}

export interface Wanted {
  experimentId: string;
  filter: string;
  order: string;
  /** The same for rows that change later; undefined where they stay where they are. */
  sorting?: Sorting | undefined;
  /** The keys of parameters and metrics; undefined for those that most rows have. */
  keys?: Named | undefined;
  parts: readonly Part[];
}

/** The last value of each metric, and the parts that chosen columns show: `min:loss`. */
export function firstParts(columns: readonly string[]): Part[] {
  const named = columns.map((id) => id.slice(0, id.indexOf(":"))).filter((kind) => PARTS.includes(kind as Part));
  return [...new Set<Part>(["last", ...(named as Part[])])].sort();
}

export const NEWEST_FIRST = "created_date desc";
const PAGE = 1000;
/** A table begins with so many rows, and reads the rest of its first page behind them. */
export const FIRST = 100;
/** An answer of more cells would be long to wait for. */
const CELLS = 150_000;
/** So many characters of keys, and so many keys, are in one request. */
const MOST_CHARACTERS = 5000;
const MOST_NAMED = 200;
/** Of the columns where all keys are read: most experiments have fewer. */
const USUAL_COLUMNS = 100;

/** The queries for one page: several where the keys do not fit one URL. Each is for the same rows. */
export function queriesOf({ filter, order, keys, parts }: Wanted, most = PAGE) {
  const named = keys ? keys.parameters.length + keys.metrics.length * parts.length : USUAL_COLUMNS;
  const common = {
    format: "columns",
    parts,
    order_by: order,
    filter: filter || undefined,
    limit: Math.max(50, Math.min(most, Math.floor(CELLS / Math.max(1, named)))),
  };
  const whole = { ...common, fields: FIELDS };
  if (!keys) return [{ ...whole, include: "parameters,metrics,tags", most_keys: MOST_READ }];
  const [first, ...others] = fitting(keys);
  return [{ ...whole, include: "tags", ...first }, ...others.map((each) => ({ ...common, ...each }))];
}

/** The keys in lists that each fit a URL; one at least. */
function fitting({ parameters, metrics }: Named): { parameters: string[]; metrics: string[] }[] {
  let [last, length, count] = [{ parameters: [] as string[], metrics: [] as string[] }, 0, 0];
  const found = [last];
  const add = (name: "parameters" | "metrics", key: string) => {
    length += encodeURIComponent(key).length + name.length + 2;
    count += 1;
    if (count > 1 && (length > MOST_CHARACTERS || count > MOST_NAMED)) {
      last = { parameters: [], metrics: [] };
      found.push(last);
      [length, count] = [encodeURIComponent(key).length + name.length + 2, 1];
    }
    last[name].push(key);
  };
  for (const key of parameters) add("parameters", key);
  for (const key of metrics) add("metrics", key);
  return found;
}

/** The same columns of the iterations with these ids, whatever the filter says. */
export function ofIds(wanted: Wanted, ids: readonly string[]): Wanted {
  return { ...wanted, order: NEWEST_FIRST, filter: filterOfIds(ids) };
}

export function filterOfIds(ids: readonly string[]): string {
  return `id in (${ids.map(quotedText).join(", ")})`;
}
