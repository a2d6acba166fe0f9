/** The iterations of an experiment as a table: filter, order, columns, selection, all kept in the URL. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/errors.ts";
import { Button, Empty, Loading } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { fileName, saveText } from "../components/save.ts";
import { rightsOn } from "../state/rights.ts";
import { location } from "../state/route.ts";
import { useGet } from "../state/use.ts";
import { Bulk } from "./bulk.tsx";
import { Chooser } from "./chooser.tsx";
import {
  type Column,
  columnsOf,
  columnsOfIds,
  differing,
  metricColumn,
  orderOf,
  parseSort,
  shownAtFirst,
} from "./columns.ts";
import { csvOf } from "./csv.ts";
import { NEWEST_FIRST, type State, TableData } from "./data.ts";
import { Grid } from "./grid.tsx";
import { linesOf } from "./lines.ts";
import type { Keys, Part, Row } from "./model.ts";
import { useAuthors } from "./people.ts";
import { QueryBar } from "./query-bar.tsx";
import { selected as selectedAfter } from "./selection.ts";
import { joined, moved, NARROWEST, split, toggled, WIDEST, widthsOf, widthsText } from "./settings.ts";
import { useTableState } from "./state.ts";
import { Views } from "./views.tsx";

export interface IterationsProps {
  experimentId: string;
  experimentName: string;
  projectId: string;
}

const SUGGESTED_VALUES = 12;

export function Iterations(props: IterationsProps) {
  const keys = useGet("/experiments/{experiment_id}/keys", { ids: { experiment_id: props.experimentId } });
  if (!keys.data) return keys.error ? <ErrorBox error={keys.error} retry={keys.reload} /> : <Loading />;
  return <Table {...props} keys={keys.data} onNewKeys={keys.reload} />;
}

function Table({
  experimentId,
  experimentName,
  projectId,
  keys,
  onNewKeys,
}: IterationsProps & { keys: Keys; onNewKeys: () => void }) {
  const [state, change] = useTableState(experimentId);
  const all = useMemo(() => columnsOf(keys), [keys]);
  const shown = useMemo(() => shownIds(state.columns, all), [state.columns, all]);
  const sort = state.sort ?? "-created";
  const [data, table] = useData(experimentId, state.filter ?? "", sort, all, shown);
  const authorOf = useAuthors();
  const rights = rightsOn(projectId);
  const rows = table.rows;
  const pinned = useMemo(() => new Set(split(state.pinned)), [state.pinned]);
  const widths = useMemo(() => widthsOf(state.widths), [state.widths]);
  const columns = useMemo(() => {
    const wanted = columnsOfIds(shown, all);
    const left = state.differs ? differing(wanted, rows) : wanted;
    return left.toSorted((a, b) => rank(a, pinned) - rank(b, pinned));
  }, [shown, all, state.differs, rows, pinned]);
  const groups = useMemo(() => columnsOfIds(split(state.group), all), [state.group, all]);
  const baseline = rows.find((row) => row.id === state.baseline);
  const lines = useMemo(() => {
    const open = new Set(split(state.open));
    return linesOf(rows, { groups, open, isTree: !!state.tree, baseline: state.baseline });
  }, [rows, groups, state.open, state.tree, state.baseline]);
  const chosen = useMemo(() => new Set(split(state.selected)), [state.selected]);
  const anchor = useRef<string | undefined>(undefined);
  useNewKeys(rows, keys, onNewKeys);

  const select = (ids: Iterable<string>) => change({ selected: joined([...ids]) || undefined });
  const setColumns = (ids: readonly string[]) => change({ columns: joined(ids) });
  const widthOf = (column: Column) => widths.get(column.id) ?? column.width;
  const actions = {
    onSort: (column: Column, isDown?: boolean) => {
      const down = isDown ?? sort === column.id;
      change({ sort: down ? `-${column.id}` : column.id });
    },
    onResize: (column: Column, width: number) => {
      const next = new Map(widths).set(column.id, Math.min(WIDEST, Math.max(NARROWEST, width)));
      change({ widths: widthsText(next) });
    },
    onMove: (column: Column, places: number) => setColumns(moved(shown, column.id, places)),
    onDrop: (id: string, before: Column) => {
      if (shown.includes(id) && before.id !== "name")
        setColumns(moved(shown, id, shown.indexOf(before.id) - shown.indexOf(id)));
    },
    onPin: (column: Column) => change({ pinned: joined(toggled([...pinned], column.id)) || undefined }),
    onHide: (column: Column) => setColumns(shown.filter((id) => id !== column.id)),
    onAdd: (column: Column, part: "min" | "max") => {
      const id = metricColumn(column.key, part).id;
      if (!shown.includes(id)) setColumns(shown.toSpliced(shown.indexOf(column.id) + 1, 0, id));
    },
  };
  const group = (column: Column) => change({ group: joined(toggled(split(state.group), column.id)), open: undefined });
  const isEmpty = table.isKnown && !rows.length && !table.isLoading;
  return (
    <section class="iterations" aria-label="Table of iterations">
      <QueryBar
        filter={state.filter ?? ""}
        keys={keys}
        valuesOf={(name) => valuesOf(rows, name)}
        error={table.error}
        onFilter={(filter) => filter !== (state.filter ?? "") && change({ filter: filter || undefined })}
      />
      <div class="grid-tools">
        <Chooser
          all={all}
          shown={shown}
          onToggle={(id) => setColumns(toggled(shown, id))}
          onShow={setColumns}
          onReset={() => change({ columns: undefined, pinned: undefined, widths: undefined })}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={!!state.differs}
            onChange={(event) => change({ differs: event.currentTarget.checked ? "1" : undefined })}
          />
          Only what differs
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={!!state.tree}
            onChange={(event) => change({ tree: event.currentTarget.checked ? "1" : undefined })}
          />
          Children below parents
        </label>
        {groups.map((column) => (
          <Button key={column.id} onClick={() => group(column)} aria-label={`Do not group by ${column.title}`}>
            Group: {column.title} ×
          </Button>
        ))}
        {baseline ? (
          <Button onClick={() => change({ baseline: undefined })} aria-label="No baseline">
            <span class="clip">Baseline: {baseline.name}</span> ×
          </Button>
        ) : null}
        <Views
          projectId={projectId}
          state={state}
          mayCreate={rights.create}
          mayDelete={rights.delete}
          onShow={change}
        />
        <CsvButton data={data} name={experimentName} columns={columns} authorOf={authorOf} />
        <Count table={table} onReload={() => data.reload()} />
      </div>
      {chosen.size ? (
        <Bulk
          experimentId={experimentId}
          ids={[...chosen]}
          data={data}
          mayUpdate={rights.update}
          mayDelete={rights.delete}
          onClear={() => select([])}
          onBaseline={(id) => change({ baseline: id })}
        />
      ) : null}
      {table.error && !isFilterError(table.error) ? <ErrorBox error={table.error} retry={() => data.reload()} /> : null}
      {!table.isKnown ? (
        <Loading />
      ) : isEmpty && !table.error ? (
        <NoRows filter={state.filter} />
      ) : (
        <Grid
          rows={rows}
          lines={lines}
          baseline={baseline}
          onToggleGroup={(key) => change({ open: joined(toggled(split(state.open), key)) || undefined })}
          onSelectMany={(ids, isOn) =>
            select(isOn ? new Set([...chosen, ...ids]) : [...chosen].filter((id) => !ids.includes(id)))
          }
          columns={columns}
          pinned={pinned}
          widthOf={widthOf}
          sort={parseSort(sort)}
          actions={{ ...actions, onGroup: group }}
          selected={chosen}
          onSelect={(id, isOn, isRange) => {
            const order = lines.flatMap((line) => (line.kind === "row" ? line.row.id : []));
            select(
              selectedAfter(
                new Set(split(location.peek().query.selected)),
                order,
                id,
                isOn,
                isRange ? anchor.current : undefined,
              ),
            );
            anchor.current = id;
          }}
          onSelectAll={(isOn) => select(isOn ? rows.map((row) => row.id) : [])}
          authorOf={authorOf}
          total={table.total ?? rows.length}
          isBusy={table.isLoading}
          onEnd={() => void data.more()}
        />
      )}
    </section>
  );
}

/** The name stands first, then the pinned columns. */
function rank(column: Column, pinned: ReadonlySet<string>): number {
  return column.id === "name" ? 0 : pinned.has(column.id) ? 1 : 2;
}

function shownIds(chosen: string | undefined, all: readonly Column[]): string[] {
  const ids = chosen ? split(chosen) : shownAtFirst(all);
  return ids.includes("name") ? ids : ["name", ...ids];
}

/** The rows for this state; those of before stay until the new ones are here. */
function useData(
  experimentId: string,
  filter: string,
  sort: string,
  all: readonly Column[],
  shown: readonly string[],
): [TableData, State] {
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

const MOST_URL = 5000;

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

const MOST_COLUMNS = 300;

/** A row with a key that the list of keys does not have: somebody logs it first. */
function useNewKeys(rows: readonly Row[], keys: Keys, onNew: () => void): void {
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

/** Values of the rows on hand for a name such as `parameters.lr`. */
function valuesOf(rows: readonly Row[], name: string): string[] {
  const found = /^(parameters|labels)\.(?:"((?:\\.|[^"\\])*)"|(.+))$/.exec(name);
  if (!found) return name === "name" ? rows.slice(0, SUGGESTED_VALUES).map((row) => row.name) : [];
  const key = found[3] ?? found[2]?.replace(/\\(.)/g, "$1") ?? "";
  const values = new Set<string>();
  for (const row of rows) {
    const value = (found[1] === "labels" ? row.labels : row.parameters)[key];
    if (value !== undefined && value.length <= 100) values.add(value);
    if (values.size === SUGGESTED_VALUES) break;
  }
  return [...values];
}

function isFilterError(error: unknown): boolean {
  return error instanceof ApiError && error.field === "filter";
}

function NoRows({ filter }: { filter: string | undefined }) {
  if (filter) return <Empty title="No iteration fits this filter" />;
  return <Empty title="No iterations yet">An iteration appears here as soon as a program starts one.</Empty>;
}

function Count({ table, onReload }: { table: State; onReload: () => void }) {
  const total = table.total ?? (table.hasMore ? undefined : table.rows.length);
  const many = total === undefined ? `more than ${table.rows.length.toLocaleString()}` : total.toLocaleString();
  return (
    <span class="grid-count">
      {table.added.length ? (
        <Button kind="plain" onClick={onReload}>
          {table.added.length} new, read again
        </Button>
      ) : null}
      <span role="status">
        {table.isKnown && !(table.error && !table.rows.length)
          ? `${many} ${total === 1 ? "iteration" : "iterations"}`
          : ""}
      </span>
    </span>
  );
}

interface CsvProps {
  data: TableData;
  name: string;
  columns: readonly Column[];
  authorOf: (id: string) => string;
}

function CsvButton({ data, name, columns, authorOf }: CsvProps) {
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      saveText(fileName(name, "csv"), csvOf(await data.all(), columns, authorOf), "text/csv");
    } catch {
      // The table shows the error.
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button onClick={save} disabled={isBusy}>
      CSV
    </Button>
  );
}
