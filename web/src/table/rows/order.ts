/** The order of the table as its rows change. The server has sorted them: only rows with another value move. */
import { type Column, cellValue, numberOf } from "../columns/columns.ts";
import type { Row } from "./model.ts";

export interface Sorting {
  column: Pick<Column, "kind" | "key" | "part" | "id">;
  isDown: boolean;
}

/** Numbers, then texts, then NaN, then missing values, in both directions (docs/search.md). */
const [NUMBER, TEXT, NAN, MISSING] = [0, 1, 2, 3];
type Place = readonly [rank: number, value: number | string];

/** `rows`, which stand in the order of `before`, with each changed row at its new place. */
export function reordered(rows: readonly Row[], before: readonly Row[], { column, isDown }: Sorting): readonly Row[] {
  const places = new Map(before.map((row) => [row.id, placeOf(row, column as Column)]));
  const hasMoved = (row: Row) => {
    const place = places.get(row.id);
    return !place || compared(place, placeOf(row, column as Column), false) !== 0;
  };
  const inOrder = (a: Row, b: Row) =>
    compared(placeOf(a, column as Column), placeOf(b, column as Column), isDown) || (a.id < b.id ? -1 : 1);
  const moved = rows.filter(hasMoved);
  if (!moved.length) return rows;
  const ids = new Set(moved.map((row) => row.id));
  return inserted(
    moved.sort(inOrder),
    rows.filter((row) => !ids.has(row.id)),
    inOrder,
  );
}

function inserted(moved: readonly Row[], others: readonly Row[], inOrder: (a: Row, b: Row) => number): Row[] {
  const found: Row[] = [];
  let next = 0;
  for (const other of others) {
    for (let row = moved[next]; row && inOrder(row, other) < 0; row = moved[next]) {
      found.push(row);
      next += 1;
    }
    found.push(other);
  }
  return [...found, ...moved.slice(next)];
}

function placeOf(row: Row, column: Column): Place {
  const value = cellValue(row, column);
  if (value === undefined || (column.kind === "field" && value === "")) return [MISSING, 0];
  if (column.kind === "field") return fieldPlace(column.key, String(value));
  const number = numberOf(row, column);
  if (number === undefined) return [TEXT, String(value)];
  return Number.isNaN(number) ? [NAN, 0] : [NUMBER, number];
}

function fieldPlace(key: string, value: string): Place {
  if (key === "created" || key === "ended") return [NUMBER, Date.parse(value)];
  return key === "status" ? [NUMBER, Number(value)] : [TEXT, value];
}

function compared([rank, value]: Place, [otherRank, other]: Place, isDown: boolean): number {
  if (rank !== otherRank) return rank - otherRank;
  if (value === other) return 0;
  return value < other === isDown ? 1 : -1;
}
