/** One change of many iterations, in requests of as many as the server takes. */
import { messageOf } from "../../api/errors.ts";
import { api } from "../../state/api.ts";
import type { Row } from "./model.ts";
import { inParts } from "./selection.ts";
import type { TableData } from "./table-data.ts";

export interface Change {
  add_tags?: string[];
  remove_tags?: string[];
  labels?: Record<string, string | null>;
  delete?: boolean;
}

const MOST_AT_ONCE = 200;

/** Change all, and show in the table what was done. Throws with what was not. */
export async function bulkChange(
  experimentId: string,
  ids: readonly string[],
  data: TableData,
  change: Change,
): Promise<void> {
  const failures: string[] = [];
  for (const part of inParts(ids, MOST_AT_ONCE)) {
    const given = { ids: { experiment_id: experimentId }, body: { ids: part, ...change } };
    const { data: outcomes } = await api.post("/experiments/{experiment_id}/iterations/bulk", given);
    const done = new Set(part.filter((id) => outcomes[id] === "done"));
    data.change(done, (row) => changed(row, change));
    for (const outcome of Object.values(outcomes))
      if (outcome !== "done") failures.push(messageOf(new Error(outcome.message)));
  }
  if (failures.length && ids.length === 1) throw new Error(failures[0]);
  if (failures.length) throw new Error(`${failures.length} of ${ids.length} were not changed: ${failures[0]}`);
}

/** The row after the change; undefined if it is deleted. */
export function changed(row: Row, change: Change): Row | undefined {
  const { add_tags = [], remove_tags = [], labels = {}, delete: isDeleted } = change;
  if (isDeleted) return undefined;
  const kept = row.tags.filter((each) => !remove_tags.includes(each) && !add_tags.includes(each));
  const merged = { ...row.labels };
  for (const [key, value] of Object.entries(labels)) {
    if (value === null) delete merged[key];
    else merged[key] = value;
  }
  return { ...row, tags: [...kept, ...add_tags], labels: merged };
}
