/** How wide the columns are at first: as their titles and the values of the first rows need it. */
import { useRef } from "preact/hooks";
import type { Row } from "../rows/model.ts";
import { NARROWEST } from "../settings.ts";
import { type Column, cellValue, textOf } from "./columns.ts";

/** Later rows change no width: a column does not move under the mouse. */
const ROWS_READ = 50;
const [WIDEST_VALUE, WIDEST_TAGS, LEAST_OF_TAGS] = [240, 190, 96];
/** A title may be cut, a menu shows it whole; a metric has room for five digits with sign and point. */
const WIDEST_TITLE = 160;
const LEAST_OF_METRIC = 104;
/** Pixels of a character of a value, a title and a tag, and of what surrounds them. */
const [CHARACTER, TITLE_CHARACTER, TAG_CHARACTER] = [8.6, 7.5, 7.6];
const [PADDING, SORT_MARK, TAG_PADDING] = [20, 20, 20];
/** "+12" behind the tags. */
const COUNT_OF_TAGS = 30;

/** The widths of these columns. Each is measured once, when the first rows are known. */
export function useFitted(columns: readonly Column[], rows: readonly Row[]): ReadonlyMap<string, number> {
  const kept = useRef<ReadonlyMap<string, number>>(new Map());
  if (rows.length) {
    const fresh = columns.filter(({ id }) => !kept.current.has(id));
    if (fresh.length) {
      const first = rows.slice(0, ROWS_READ);
      kept.current = new Map([...kept.current, ...fresh.map((each) => [each.id, fittedWidth(each, first)] as const)]);
    }
  }
  return kept.current;
}

export function fittedWidth(column: Column, rows: readonly Row[]): number {
  if (column.id === "tags")
    return Math.min(WIDEST_TAGS, Math.max(LEAST_OF_TAGS, ...rows.map(({ tags }) => widthOfTags(tags))));
  if (column.kind === "field") return column.width;
  const title = Math.min(WIDEST_TITLE, column.title.length * TITLE_CHARACTER + PADDING + SORT_MARK);
  if (column.kind === "metric") return Math.round(Math.max(title, LEAST_OF_METRIC));
  const most = column.isNumber ? column.width : WIDEST_VALUE;
  const values = rows.map((row) => textOf(cellValue(row, column), column, most).length * CHARACTER + PADDING);
  return Math.round(Math.max(NARROWEST, title, Math.min(most, Math.max(...values))));
}

/** How many of the tags have room. One or two tags become shorter; of more, the last are only counted. */
export function tagsThatFit(tags: readonly string[], width: number): number {
  if (tags.length <= 2 || widthOfTags(tags) <= width) return tags.length;
  let fitting = tags.length - 1;
  while (fitting > 1 && widthOfTags(tags.slice(0, fitting)) + COUNT_OF_TAGS > width) fitting -= 1;
  return fitting;
}

function widthOfTags(tags: readonly string[]): number {
  return PADDING + tags.reduce((width, tag) => width + tag.length * TAG_CHARACTER + TAG_PADDING, 0);
}
