/** Numbers about the rows of a group, and about a row beside the baseline. */
import { type Column, cellValue, numberOf } from "../columns/columns.ts";
import type { Row } from "./model.ts";

export interface Stats {
  count: number;
  mean: number;
  /** Of a sample; undefined for one value. */
  std: number | undefined;
  min: number;
  max: number;
}

const known = new WeakMap<readonly Row[], Map<string, Stats | undefined>>();

/** Statistics of the finite numbers of a column; undefined without any. The same rows are counted once. */
export function statsOf(rows: readonly Row[], column: Column): Stats | undefined {
  const found = known.get(rows) ?? new Map<string, Stats | undefined>();
  known.set(rows, found);
  if (!found.has(column.id)) found.set(column.id, counted(rows, column));
  return found.get(column.id);
}

function counted(rows: readonly Row[], column: Column): Stats | undefined {
  const values = rows.map((row) => numberOf(row, column)).filter((each) => each !== undefined && Number.isFinite(each));
  const numbers = values as number[];
  const count = numbers.length;
  if (!count) return undefined;
  const mean = numbers.reduce((sum, each) => sum + each / count, 0);
  const squares = numbers.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const min = numbers.reduce((least, each) => Math.min(least, each));
  const max = numbers.reduce((most, each) => Math.max(most, each));
  return { count, mean, std: count > 1 ? Math.sqrt(squares / (count - 1)) : undefined, min, max };
}

/** The one value that all rows have. */
export function commonValue(rows: readonly Row[], column: Column): string | undefined {
  const value = rows[0] && cellValue(rows[0], column);
  return value !== undefined && rows.every((row) => cellValue(row, column) === value) ? String(value) : undefined;
}

/** How far a metric is from the baseline; undefined where there is nothing to compare. */
export function deltaOf(row: Row, baseline: Row | undefined, column: Column): number | undefined {
  if (!baseline || baseline.id === row.id || column.kind !== "metric") return undefined;
  const [a, b] = [numberOf(row, column), numberOf(baseline, column)];
  const delta = a !== undefined && b !== undefined ? a - b : Number.NaN;
  return Number.isFinite(delta) ? delta : undefined;
}
