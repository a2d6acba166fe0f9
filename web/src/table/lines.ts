/** The lines of the table: rows, in groups with statistics or below their parents, and the baseline first. */
import { type Column, cellValue, numberOf } from "./columns.ts";
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
  /** The id of the row that stands first. */
  baseline: string | undefined;
}

export function linesOf(rows: readonly Row[], { groups, open, isTree, baseline }: Arrangement): Line[] {
  const first = rows.find((row) => row.id === baseline);
  const top = first ? [rowLine(first, 0)] : [];
  const others = first && !groups.length ? rows.filter((row) => row !== first) : rows;
  if (groups.length) return [...top, ...grouped(others, groups, open, "", 0)];
  return [...top, ...(isTree ? tree(others) : others.map((row) => rowLine(row, 0)))];
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

export interface Stats {
  count: number;
  mean: number;
  /** Of a sample; undefined for one value. */
  std: number | undefined;
  min: number;
  max: number;
}

/** Statistics of the finite numbers of a column; undefined without any. */
export function statsOf(rows: readonly Row[], column: Column): Stats | undefined {
  const values = rows.map((row) => numberOf(row, column)).filter((each) => each !== undefined && Number.isFinite(each));
  const numbers = values as number[];
  const count = numbers.length;
  if (!count) return undefined;
  const mean = numbers.reduce((sum, each) => sum + each / count, 0);
  const squares = numbers.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
  return { count, mean, std: count > 1 ? Math.sqrt(squares / (count - 1)) : undefined, min, max };
}

/** The one value that all rows have. */
export function commonValue(rows: readonly Row[], column: Column): string | undefined {
  const values = new Set(rows.map((row) => cellValue(row, column)));
  const [value] = values;
  return values.size === 1 && value !== undefined ? String(value) : undefined;
}

/** How far a metric is from the baseline; undefined where there is nothing to compare. */
export function deltaOf(row: Row, baseline: Row | undefined, column: Column): number | undefined {
  if (!baseline || baseline.id === row.id || column.kind !== "metric") return undefined;
  const [a, b] = [numberOf(row, column), numberOf(baseline, column)];
  const delta = a !== undefined && b !== undefined ? a - b : Number.NaN;
  return Number.isFinite(delta) ? delta : undefined;
}
