/** Curves as CSV. */
import type { Curves } from "./model.ts";

export function csvOf(curves: Curves, x: string, nameOf: (id: string) => string): string {
  const parts = curves.bucketed ? (["last", "min", "max"] as const) : (["last"] as const);
  const head = curves.lines.flatMap((line) =>
    parts.map((part) => (part === "last" ? nameOf(line.id) : `${nameOf(line.id)} ${part}`)),
  );
  const rows = curves.x.map((value, at) => [
    String(value),
    ...curves.lines.flatMap((line) => parts.map((part) => cellOf(line[part][at]))),
  ]);
  return `${[[x, ...head].map(quoted), ...rows].map((row) => row.join(",")).join("\r\n")}\r\n`;
}

function cellOf(value: number | null | undefined): string {
  return value === null ? "NaN" : value === undefined ? "" : String(value);
}

/** In quotes where needed; a spreadsheet must not take a name for a formula. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
