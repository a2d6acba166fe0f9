/** The rows for a state of the table, and what is read of them. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { type Column, columnsOfIds, orderOf, sortingOf } from "../columns/columns.ts";
import { MOST_READ } from "./keys.ts";
import type { Part } from "./model.ts";
import { NEWEST_FIRST } from "./request.ts";
import { type State, TableData } from "./table-data.ts";

/** So many rows are read where groups, differences or a tree need them all. */
export const MOST_ROWS = 10_000;

interface Given {
  experimentId: string;
  filter: string;
  sort: string;
  all: readonly Column[];
  shown: readonly string[];
  /** The user has chosen them. */
  isChosen: boolean;
}

/** The rows of an experiment. `useReading` reads them. */
export function useData(experimentId: string): [TableData, State] {
  const data = useMemo(() => new TableData(), [experimentId]);
  useEffect(() => () => data.close(), [data]);
  return [data, data.state.value];
}

/** Read the rows for this state; those of before stay until the new ones are here. */
export function useReading(data: TableData, { experimentId, filter, sort, all, shown, isChosen }: Given): void {
  const wanted = useMemo(() => {
    const order = sort === "-created" ? NEWEST_FIRST : orderOf(sort, all);
    return { experimentId, filter, order, sorting: sortingOf(sort, all), ...keysOf(all, shown, isChosen) };
  }, [experimentId, filter, sort, all, shown, isChosen]);
  // Hiding or moving a column needs no request.
  const known = useRef("");
  const key = JSON.stringify(wanted);
  useEffect(() => {
    if (known.current === key) return;
    known.current = key;
    void data.read(wanted);
  }, [data, key]);
}

/** No names where an answer has all keys, or the columns are those of the most used. */
function keysOf(all: readonly Column[], shown: readonly string[], isChosen: boolean) {
  const columns = columnsOfIds(shown, all);
  const parts = [...new Set<Part>(["last", ...columns.flatMap((each) => each.part ?? [])])].sort();
  if (all.length <= MOST_READ || !isChosen) return { parts };
  const ofKind = (kind: Column["kind"]) => [
    ...new Set(columns.flatMap((each) => (each.kind === kind ? each.key : []))),
  ];
  return { parts, keys: { parameters: ofKind("parameter"), metrics: ofKind("metric") } };
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
