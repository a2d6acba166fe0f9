/** The table as CSV: the shown columns of the given rows, with whole values. */
import { ITERATION_STATUS } from "../../api/words.ts";
import { type Column, cellValue, numberOf } from "../columns/columns.ts";
import type { Row } from "./model.ts";

export function csvOf(rows: readonly Row[], columns: readonly Column[], authorOf: (id: string) => string): string {
  const head = ["id", ...columns.map((each) => each.title)];
  const lines = rows.map((row) => [row.id, ...columns.map((column) => cellOf(row, column, authorOf))]);
  return `${[head, ...lines].map((line) => line.map(quoted).join(",")).join("\r\n")}\r\n`;
}

function cellOf(row: Row, column: Column, authorOf: (id: string) => string): string {
  if (column.kind === "field" && column.key === "status") return ITERATION_STATUS[row.status_id];
  if (column.kind === "field" && column.key === "duration") return String(numberOf(row, column) ?? "");
  const value = cellValue(row, column);
  if (value === undefined) return "";
  return column.kind === "field" && column.key === "author" ? authorOf(String(value)) : String(value);
}

/** In quotes where needed; a spreadsheet must not take a text for a formula. */
function quoted(text: string): string {
  const isFormula = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text));
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
