/** Values to suggest in a filter: those of the rows on hand, for a name such as `parameters.lr`. */
import type { Row } from "../rows/model.ts";

const MOST = 12;
const LONGEST = 100;

export function valuesOf(rows: readonly Row[], name: string): string[] {
  const found = /^(parameters|labels)\.(?:"((?:\\.|[^"\\])*)"|(.+))$/.exec(name);
  if (!found) return name === "name" ? rows.slice(0, MOST).map((row) => row.name) : [];
  const key = found[3] ?? found[2]?.replace(/\\(.)/g, "$1") ?? "";
  const values = new Set<string>();
  for (const row of rows) {
    const value = (found[1] === "labels" ? row.labels : row.parameters)[key];
    if (value !== undefined && value.length <= LONGEST) values.add(value);
    if (values.size === MOST) break;
  }
  return [...values];
}
