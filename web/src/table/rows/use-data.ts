/** The rows for a state of the table, and what is read of them. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { type Column, columnsOfIds, orderOf } from "../columns/columns.ts";
import type { Keys, Part, Row } from "./model.ts";
import { NEWEST_FIRST } from "./request.ts";
import { type State, TableData } from "./table-data.ts";

const MOST_URL = 5000;
const MOST_COLUMNS = 300;
/** So many rows are read where groups, differences or a tree need them all. */
export const MOST_ROWS = 10_000;

interface Given {
  experimentId: string;
  filter: string;
  sort: string;
  all: readonly Column[];
  shown: readonly string[];
}

/** The rows for this state; those of before stay until the new ones are here. */
export function useData({ experimentId, filter, sort, all, shown }: Given): [TableData, State] {
  const data = useMemo(() => new TableData(), [experimentId]);
  useEffect(() => () => data.close(), [data]);
  const wanted = useMemo(() => {
    const order = sort === "-created" ? NEWEST_FIRST : orderOf(sort, all);
    return { experimentId, filter, order, ...keysOf(all, shown) };
  }, [experimentId, filter, sort, all, shown]);
  // Hiding or moving a column needs no request.
  const known = useRef("");
  const key = JSON.stringify(wanted);
  useEffect(() => {
    if (known.current === key) return;
    known.current = key;
    void data.read(wanted);
  }, [data, key]);
  return [data, data.state.value];
}

/** All keys where they are few, else those of the shown columns, as many as a URL holds. */
function keysOf(all: readonly Column[], shown: readonly string[]) {
  const columns = columnsOfIds(shown, all);
  const parts = [...new Set<Part>(["last", ...columns.flatMap((each) => each.part ?? [])])].sort();
  if (all.length <= MOST_COLUMNS) return { parts };
  const keys = { parameters: [] as string[], metrics: [] as string[] };
  let length = 0;
  for (const { kind, key } of columns) {
    length += encodeURIComponent(key).length + 12;
    if (length > MOST_URL) break;
    if (kind === "parameter") keys.parameters.push(key);
    if (kind === "metric" && !keys.metrics.includes(key)) keys.metrics.push(key);
  }
  return { parts, keys };
}

/** While something needs all rows: read page after page, up to a limit. */
export function useAllRows(data: TableData, { rows, hasMore, isLoading, isKnown, error }: State, needs: boolean): void {
  const reads = needs && isKnown && hasMore && !isLoading && !error && rows.length < MOST_ROWS;
  useEffect(() => {
    if (reads) void data.more();
  }, [data, reads, rows.length]);
}

/** Read the rows with these ids too, where they are not among those that are read. */
export function useNamed(data: TableData, { rows, isKnown }: State, ids: readonly string[]): void {
  const missing = useMemo(() => {
    if (!isKnown || !ids.length) return [];
    const here = new Set(rows.map((row) => row.id));
    return ids.filter((id) => !here.has(id));
  }, [rows, isKnown, ids]);
  useEffect(() => void data.name(missing), [data, missing.join()]);
}

/** A row with a key that the list of keys does not have: somebody logs it first. */
export function useNewKeys(rows: readonly Row[], keys: Keys, onNew: () => void): void {
  const asked = useRef(new Set<string>());
  useEffect(() => {
    const known = new Set([
      ...keys.parameters.map((each) => `p${each.key}`),
      ...keys.metrics.map((each) => `m${each.key}`),
    ]);
    const fresh = rows.flatMap((row) =>
      [
        ...Object.keys(row.parameters).map((key) => `p${key}`),
        ...Object.keys(row.metrics).map((key) => `m${key}`),
      ].filter((key) => !known.has(key) && !asked.current.has(key)),
    );
    if (!fresh.length) return;
    for (const key of fresh) asked.current.add(key);
    onNew();
  }, [rows, keys]);
}
