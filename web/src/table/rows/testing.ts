/** Rows for tests. */
import type { Row } from "./model.ts";

export function row(id: string, change: Partial<Row> = {}): Row {
  const fields = { name: id, notes: "", status_id: 2, created_by: null, created_date: "2026-01-01T00:00:00Z" } as const;
  return {
    id,
    ...fields,
    end_date: null,
    parent_iteration_id: null,
    labels: {},
    tags: [],
    parameters: {},
    metrics: {},
    ...change,
  };
}
