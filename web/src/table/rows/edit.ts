/** Change a name, notes or tags of one row. */
import { api } from "../../state/api.ts";
import { joined, split } from "../settings.ts";
import { bulkChange, type Change } from "./bulk-change.ts";
import type { Row } from "./model.ts";
import type { TableData } from "./table-data.ts";

/** The text that a person changes. */
export function editedText(row: Row, field: string): string {
  if (field === "tags") return row.tags.map((each) => joined([each])).join(", ");
  return field === "notes" ? row.notes : row.name;
}

/** The words of a list with commas. */
export function wordsOf(text: string): string[] {
  return [...new Set(split(text).map((each) => each.trim()))].filter((each) => each);
}

/** Save a text in place of that of `row`, and show the answer in the table. Tags that others add meanwhile stay. */
export async function saveEdit(experimentId: string, data: TableData, row: Row, field: string, text: string) {
  if (field === "tags") return bulkChange(experimentId, [row.id], data, tagsChange(row.tags, wordsOf(text)));
  const body = field === "notes" ? { notes: text } : { name: text };
  const { name, notes } = await api.patch("/iterations/{iteration_id}", { ids: { iteration_id: row.id }, body });
  data.change(new Set([row.id]), (known) => ({ ...known, name: name ?? known.name, notes }));
}

export function tagsChange(before: readonly string[], after: readonly string[]): Change {
  return {
    add_tags: after.filter((each) => !before.includes(each)),
    remove_tags: before.filter((each) => !after.includes(each)),
  };
}
