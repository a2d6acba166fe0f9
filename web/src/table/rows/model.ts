/** What the table shows: rows of the API, and the columns made of their fields, parameters, metrics and labels. */
import type { components } from "../../api/operations.ts";

type Schemas = components["schemas"];

export type Keys = Schemas["KeysInUse"];
export const PARTS = ["first", "last", "min", "max", "count", "last_step"] as const;
export type Part = (typeof PARTS)[number];
export type MetricValue = number | "NaN" | "Infinity" | "-Infinity";
export type Parts = Partial<Record<Part, MetricValue | null>>;

export interface Row {
  id: string;
  name: string;
  notes: string;
  status_id: Schemas["IterationStatus"];
  created_by: string | null;
  created_date: string;
  end_date: string | null;
  parent_iteration_id: string | null;
  labels: Readonly<Record<string, string>>;
  tags: readonly string[];
  parameters: Readonly<Record<string, string>>;
  metrics: Readonly<Record<string, Parts>>;
}

/** The fields that the table asks for. */
export const FIELDS = [
  "name",
  "notes",
  "status_id",
  "created_by",
  "created_date",
  "end_date",
  "parent_iteration_id",
  "labels",
] as const;

/** The rows of an answer in columns. */
export function rowsOf({ ids, columns }: Schemas["IterationTable"]): Row[] {
  const { fields } = columns;
  const parameters = Object.entries(columns.parameters ?? {});
  const metrics = Object.entries(columns.metrics ?? {});
  return ids.map((id, at) => ({
    id,
    name: fields.name?.[at] ?? id,
    notes: fields.notes?.[at] ?? "",
    status_id: fields.status_id?.[at] ?? 1,
    created_by: fields.created_by?.[at] ?? null,
    created_date: fields.created_date?.[at] ?? "",
    end_date: fields.end_date?.[at] ?? null,
    parent_iteration_id: fields.parent_iteration_id?.[at] ?? null,
    labels: fields.labels?.[at] ?? {},
    tags: columns.tags?.[at] ?? [],
    parameters: present(parameters.map(([key, values]) => [key, values[at]])),
    metrics: present(metrics.map(([key, parts]) => [key, partsAt(parts, at)])),
  }));
}

/** The rows with the values that other answers have of them, each with other keys. */
export function withKeys(rows: readonly Row[], others: readonly (readonly Row[])[]): Row[] {
  const found = others.map((list) => new Map(list.map((row) => [row.id, row])));
  if (!found.length) return [...rows];
  return rows.map((row) => {
    const same = [row, ...found.flatMap((each) => each.get(row.id) ?? [])];
    const parameters = same.flatMap((each) => Object.entries(each.parameters));
    const metrics = same.flatMap((each) => Object.entries(each.metrics));
    return { ...row, parameters: present(parameters), metrics: present(metrics) };
  });
}

function partsAt(parts: Schemas["SummaryColumns"], at: number): Parts | null {
  const found = present(Object.entries(parts).map(([part, values]) => [part, values?.[at]]));
  return Object.keys(found).length ? (found as Parts) : null;
}

/** Keys may be any text, `__proto__` too. */
function present<T>(entries: (readonly [string, T | null | undefined])[]): Record<string, T> {
  const found: Record<string, T> = Object.create(null);
  for (const [key, value] of entries) if (value !== null && value !== undefined) found[key] = value;
  return found;
}

/** A row of the changes feed in place of the one known; what it leaves out is unchanged. */
export function rowOfChange(change: Schemas["IterationOverview"], known: Row | undefined): Row {
  return {
    id: change.id,
    name: change.name ?? change.id,
    notes: change.notes,
    status_id: change.status_id,
    created_by: change.created_by ?? null,
    created_date: change.created_date,
    end_date: change.end_date ?? null,
    parent_iteration_id: change.parent_iteration_id ?? null,
    labels: change.labels ?? {},
    tags: change.tags ?? known?.tags ?? [],
    parameters: change.parameters ?? known?.parameters ?? {},
    metrics: change.metrics ?? known?.metrics ?? {},
  };
}

/** The rows with these metrics, by id, in place of their own: of iterations that have only logged more. */
export function grown(rows: readonly Row[], metrics: Readonly<Record<string, Row["metrics"]>>): readonly Row[] {
  return rows.map((row) => (Object.hasOwn(metrics, row.id) ? { ...row, metrics: metrics[row.id] ?? {} } : row));
}

/** The rows after an answer of the changes feed. New ones stand first if `adds`; else `added` counts them. */
export function merged(
  rows: readonly Row[],
  changes: readonly Schemas["IterationOverview"][],
  gone: readonly string[],
  adds: boolean,
): { rows: Row[]; added: string[] } {
  const known = new Map(rows.map((row) => [row.id, row]));
  const lost = new Set(gone);
  const fresh = new Map<string, Row>();
  for (const change of changes) {
    if (lost.has(change.id)) continue;
    const row = rowOfChange(change, known.get(change.id) ?? fresh.get(change.id));
    if (known.has(change.id)) known.set(change.id, row);
    else fresh.set(change.id, row);
  }
  const kept = rows.flatMap((row) => (lost.has(row.id) ? [] : (known.get(row.id) ?? row)));
  const added = [...fresh.values()].sort((a, b) => (a.created_date < b.created_date ? 1 : -1));
  return { rows: adds ? [...added, ...kept] : kept, added: [...fresh.keys()] };
}
