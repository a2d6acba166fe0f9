/** The lines of the table: pinned rows first, then all rows, or in groups, or below their parents. */
import { type Column, cellValue } from "../columns/columns.ts";
import type { Row } from "./model.ts";

export interface RowLine {
  kind: "row";
  key: string;
  row: Row;
  depth: number;
}

export interface GroupLine {
  kind: "group";
  key: string;
  /** The column of this level, and its value. */
  column: Column;
  value: string;
  rows: readonly Row[];
  depth: number;
  isOpen: boolean;
}

export type Line = RowLine | GroupLine;

export interface Arrangement {
  /** The levels of groups, from the outermost. */
  groups: readonly Column[];
  open: ReadonlySet<string>;
  isTree: boolean;
  /** The rows that stand first: the baseline, then the pinned ones. */
  top: readonly Row[];
}

/** A pinned row also stays in its group and below its parent, where it counts. */
export function linesOf(rows: readonly Row[], { groups, open, isTree, top }: Arrangement): Line[] {
  const first = top.map((row) => ({ ...rowLine(row, 0), key: `top ${row.id}` }));
  if (groups.length) return [...first, ...grouped(rows, groups, open, "", 0)];
  if (isTree) return [...first, ...tree(rows)];
  const ids = new Set(top.map((row) => row.id));
  return [...first, ...rows.filter((row) => !ids.has(row.id)).map((row) => rowLine(row, 0))];
}

/** The baseline and the pinned rows that are known, in the order in which they were pinned. */
export function topOf(state: { rows: readonly Row[]; named: readonly Row[] }, ids: readonly string[]): Row[] {
  const wanted = new Set(ids);
  const known = new Map([...state.named, ...state.rows].flatMap((row) => (wanted.has(row.id) ? [[row.id, row]] : [])));
  return [...wanted].flatMap((id) => known.get(id) ?? []);
}

function rowLine(row: Row, depth: number): RowLine {
  return { kind: "row", key: row.id, row, depth };
}

function grouped(
  rows: readonly Row[],
  [column, ...inner]: readonly Column[],
  open: ReadonlySet<string>,
  above: string,
  depth: number,
): Line[] {
  if (!column) return rows.map((row) => ({ ...rowLine(row, depth), key: `${above} ${row.id}` }));
  const found = Map.groupBy(rows, (row) => String(cellValue(row, column) ?? ""));
  return [...found].flatMap(([value, members]) => {
    const key = `${above}/${encodeURIComponent(value)}`;
    const isOpen = open.has(key);
    const line: GroupLine = { kind: "group", key, column, value, rows: members, depth, isOpen };
    return isOpen ? [line, ...grouped(members, inner, open, key, depth + 1)] : [line];
  });
}

/** Children below their parents. A row whose parent is not here stands by itself, and no row is lost in a circle. */
function tree(rows: readonly Row[]): RowLine[] {
  const here = new Set(rows.map((row) => row.id));
  const children = Map.groupBy(rows, (row) => row.parent_iteration_id ?? "");
  const done = new Set<string>();
  const below = (row: Row, depth: number): RowLine[] => {
    if (done.has(row.id)) return [];
    done.add(row.id);
    return [rowLine(row, depth), ...(children.get(row.id) ?? []).flatMap((child) => below(child, depth + 1))];
  };
  const roots = rows.filter((row) => !row.parent_iteration_id || !here.has(row.parent_iteration_id));
  return [...roots, ...rows].flatMap((row) => below(row, 0));
}
