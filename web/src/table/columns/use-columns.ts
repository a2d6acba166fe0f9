/** The columns of the table as the state says: which, in which order, how wide, and what can be done with them. */
import { useCallback, useMemo } from "preact/hooks";
import { isLessBetter } from "../../components/metric-keys.ts";
import type { Keys, Row } from "../rows/model.ts";
import { joined, moved, NARROWEST, type Query, split, toggled, WIDEST, widthsOf, widthsText } from "../settings.ts";
import { type Column, columnsOf, columnsOfIds, differing, metricColumn, parseSort, shownAtFirst } from "./columns.ts";
import { useFitted } from "./fit.ts";
import type { ColumnActions } from "./header-cell.tsx";

/** All that there are, and the ids of those to show. */
export function useChosen(keys: Keys, state: Query): { all: Column[]; shown: string[] } {
  const all = useMemo(() => columnsOf(keys), [keys]);
  const shown = useMemo(() => shownIds(state.columns, all), [state.columns, all]);
  return { all, shown };
}

/** The name stands first in any case. */
function shownIds(chosen: string | undefined, all: readonly Column[]): string[] {
  const ids = chosen ? split(chosen) : shownAtFirst(all);
  return ids.includes("name") ? ids : ["name", ...ids];
}

/** Those to show for these rows, pinned ones first. */
export function useColumns({ all, shown }: { all: Column[]; shown: string[] }, state: Query, rows: readonly Row[]) {
  const pinned = useMemo(() => new Set(split(state.pinned)), [state.pinned]);
  const widths = useMemo(() => widthsOf(state.widths), [state.widths]);
  const columns = useMemo(() => {
    const wanted = columnsOfIds(shown, all);
    const left = state.differs ? differing(wanted, rows) : wanted;
    return left.toSorted((a, b) => rank(a, pinned) - rank(b, pinned));
  }, [shown, all, state.differs && rows, pinned]);
  const fitted = useFitted(columns, rows);
  const widthOf = useCallback(
    (column: Column) =>
      widths.get(column.id) ?? usualWidth(column, fitted.get(column.id) ?? column.width, !!state.group),
    [widths, fitted, !state.group],
  );
  return { columns, pinned, widths, widthOf };
}

/** A cell of a group has a mean with its deviation, or counts by status. */
const WIDTH_IN_GROUPS = 164;

function usualWidth({ id, kind, isNumber }: Column, width: number, hasGroups: boolean): number {
  const isWide = hasGroups && (id === "status" || (isNumber && kind !== "field"));
  return isWide ? Math.max(width, WIDTH_IN_GROUPS) : width;
}

function rank(column: Column, pinned: ReadonlySet<string>): number {
  return column.id === "name" ? 0 : pinned.has(column.id) ? 1 : 2;
}

export function columnActions(state: Query, sort: string, shown: string[], change: (to: Query) => void): ColumnActions {
  const setColumns = (ids: readonly string[]) => change({ columns: joined(ids) });
  return {
    onSort: (column, isDown = nextIsDown(column, sort)) => change({ sort: isDown ? `-${column.id}` : column.id }),
    onResize: (column, width) => {
      const next = widthsOf(state.widths).set(column.id, Math.min(WIDEST, Math.max(NARROWEST, width)));
      change({ widths: widthsText(next) });
    },
    onMove: (column, places) => setColumns(moved(shown, column.id, places)),
    onDrop: (id, before) => {
      if (shown.includes(id) && before.id !== "name")
        setColumns(moved(shown, id, shown.indexOf(before.id) - shown.indexOf(id)));
    },
    onPin: (column) => change({ pinned: joined(toggled(split(state.pinned), column.id)) || undefined }),
    onHide: (column) => setColumns(shown.filter((id) => id !== column.id)),
    onAdd: (column, part) => {
      const id = metricColumn(column.key, part).id;
      if (!shown.includes(id)) setColumns(shown.toSpliced(shown.indexOf(column.id) + 1, 0, id));
    },
    onGroup: (column) => change({ group: joined(toggled(split(state.group), column.id)), open: undefined }),
  };
}

/** A second click turns the order round. A metric begins with its best value, a time with the latest. */
function nextIsDown(column: Column, sort: string): boolean {
  const [sorted, isDown] = parseSort(sort);
  if (sorted === column.id) return !isDown;
  if (column.kind === "metric") return !isLessBetter(column.key);
  return column.kind === "field" && column.isNumber;
}
