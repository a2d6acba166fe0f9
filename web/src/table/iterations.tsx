/** The iterations of an experiment as a table: filter, order, columns, selection, all kept in the URL. */
import { useMemo, useRef } from "preact/hooks";
import { ApiError } from "../api/errors.ts";
import { Empty, Loading } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { rightsOn } from "../state/rights.ts";
import { location } from "../state/route.ts";
import { columnsOfIds, parseSort } from "./columns/columns.ts";
import { columnActions, useChosen, useColumns } from "./columns/use-columns.ts";
import { Grid } from "./grid/grid.tsx";
import { useAuthors } from "./people.ts";
import { saveEdit } from "./rows/edit.ts";
import { linesOf, topOf } from "./rows/lines.ts";
import { selected as selectedAfter } from "./rows/selection.ts";
import { useAllRows, useData, useNamed, useReading } from "./rows/use-data.ts";
import { useKeys } from "./rows/use-keys.ts";
import { joined, MOST_PINNED, split, toggled } from "./settings.ts";
import { useTableState } from "./state.ts";
import { Bulk } from "./tools/bulk.tsx";
import { needing } from "./tools/coverage.ts";
import { QueryBar } from "./tools/query-bar.tsx";
import { Toolbar } from "./tools/toolbar.tsx";
import { valuesOf } from "./tools/values.ts";

export interface IterationsProps {
  experimentId: string;
  /** These two are undefined until they are known. */
  experimentName: string | undefined;
  projectId: string | undefined;
}

export function Iterations({ experimentId, experimentName, projectId }: IterationsProps) {
  const [state, change] = useTableState(experimentId);
  const sort = state.sort ?? "-created";
  const filter = state.filter ?? "";
  const [data, table] = useData(experimentId);
  const keys = useKeys(experimentId, filter, table);
  const chosen = useChosen(keys, state);
  useReading(data, { experimentId, filter, sort, ...chosen, isChosen: state.columns !== undefined });
  const { rows } = table;
  const { columns, pinned, widthOf } = useColumns(chosen, state, rows);
  const authorOf = useAuthors(projectId, table.isKnown && !table.isStarting);
  const rights = rightsOn(projectId);
  const { groups, lines, top, baseline } = useLines(state, table, chosen.all);
  useNamed(data, table, top.ids);
  useAllRows(data, table, !!needing(state));
  const selection = useMemo(() => new Set(split(state.selected)), [state.selected]);
  const anchor = useRef<string | undefined>(undefined);

  const select = (ids: Iterable<string>) => change({ selected: joined([...ids]) || undefined });
  const selectOne = (id: string, isOn: boolean, isRange: boolean) => {
    const order = lines.flatMap((line) => (line.kind === "row" ? line.row.id : []));
    const before = new Set(split(location.peek().query.selected));
    select(selectedAfter(before, order, id, isOn, isRange ? anchor.current : undefined));
    anchor.current = id;
  };
  const sorted = useMemo(() => parseSort(sort), [sort]);
  const actions = columnActions(state, sort, chosen.shown, change);
  const arePinned = [...selection].every((id) => top.pinned.has(id));
  const pin = (ids: readonly string[]) => change({ top: joined(ids.slice(0, MOST_PINNED)) || undefined });
  const hasNone = table.isKnown && !rows.length && !top.ids.length && !table.isLoading;
  return (
    <section class="iterations" aria-label="Table of iterations">
      <QueryBar
        filter={filter}
        keys={keys}
        valuesOf={(name) => valuesOf(rows, name)}
        error={table.error}
        onFilter={(next) => next !== filter && change({ filter: next || undefined })}
      />
      <Toolbar
        {...{ projectId, experimentName, state, change, rights, columns, groups, baseline, data, table, authorOf }}
        {...chosen}
        onGroup={(column) => actions.onGroup?.(column)}
      />
      {selection.size || rows.length ? (
        <Bulk
          experimentId={experimentId}
          ids={[...selection]}
          data={data}
          mayUpdate={rights.update}
          mayDelete={rights.delete}
          onClear={() => select([])}
          onBaseline={(id) => change({ baseline: id })}
          arePinned={arePinned}
          onPin={() => pin(arePinned ? minus(top.pinned, selection) : [...new Set([...top.pinned, ...selection])])}
        />
      ) : null}
      {table.error && !isFilterError(table.error) ? <ErrorBox error={table.error} retry={() => data.reload()} /> : null}
      {!table.isKnown ? (
        <Loading />
      ) : hasNone && !table.error ? (
        <NoRows filter={state.filter} />
      ) : (
        <Grid
          {...{ rows, lines, baseline, columns, pinned, widthOf, actions, authorOf }}
          topCount={top.rows.length}
          sort={sorted}
          lastSeen={table.lastSeen}
          save={rights.update ? (row, field, text) => saveEdit(experimentId, data, row, field, text) : undefined}
          onToggleGroup={(key) => change({ open: joined(toggled(split(state.open), key)) || undefined })}
          selected={selection}
          onSelect={selectOne}
          onSelectMany={(ids, isOn) => select(isOn ? new Set([...selection, ...ids]) : minus(selection, new Set(ids)))}
          onSelectAll={(isOn) => select(isOn ? rows.map((row) => row.id) : [])}
          pinnedRows={top.pinned}
          onPinRow={(id) => pin(toggled([...top.pinned], id))}
          total={table.total ?? rows.length}
          isBusy={table.isLoading}
          isOld={table.isOld}
          isStale={isFilterError(table.error)}
          query={`${filter} ${sort} ${state.group ?? ""}`}
          onEnd={() => {
            // Groups of many rows are few lines: their rows are read up to a limit.
            if (!groups.length) void data.more();
          }}
        />
      )}
    </section>
  );
}

/** The lines as the state arranges the rows. */
function useLines(
  state: ReturnType<typeof useTableState>[0],
  table: Parameters<typeof topOf>[0],
  all: ReturnType<typeof useChosen>["all"],
) {
  const { rows, named } = table;
  const groups = useMemo(() => columnsOfIds(split(state.group), all), [state.group, all]);
  const pinned = useMemo(() => new Set(split(state.top).slice(0, MOST_PINNED)), [state.top]);
  const ids = useMemo(() => [...(state.baseline ? [state.baseline] : []), ...pinned], [state.baseline, pinned]);
  const top = useMemo(() => topOf({ rows, named }, ids), [rows, named, ids]);
  const lines = useMemo(() => {
    const open = new Set(split(state.open));
    return linesOf(rows, { groups, open, isTree: !!state.tree, top });
  }, [rows, groups, state.open, state.tree, top]);
  return { groups, lines, top: { rows: top, ids, pinned }, baseline: top.find((row) => row.id === state.baseline) };
}

function minus(ids: ReadonlySet<string>, others: ReadonlySet<string>): string[] {
  return [...ids].filter((id) => !others.has(id));
}

function isFilterError(error: unknown): boolean {
  return error instanceof ApiError && error.field === "filter";
}

function NoRows({ filter }: { filter: string | undefined }) {
  if (filter) return <Empty title="No iteration fits this filter" />;
  return <Empty title="No iterations yet">An iteration appears here as soon as a program starts one.</Empty>;
}
