/** The contents of one cell of a group: mean ± standard deviation, with the extremes below. */

import { ITERATION_STATUS } from "../../api/words.ts";
import { formatNumber } from "../../components/format.ts";
import { type Column, charactersIn, textOf } from "../columns/columns.ts";
import type { GroupLine } from "../rows/lines.ts";
import { commonValue, type Stats, statsOf } from "../rows/stats.ts";

const DIGITS = 3;
/** So many small characters take the room of one. */
const SMALL = 1.25;

export function GroupCell({ line, column, width }: { line: GroupLine; column: Column; width: number }) {
  if (column.id === "status") return <Statuses line={line} />;
  if (column.kind === "field") return null;
  const common = commonValue(line.rows, column);
  const stats = column.kind === "metric" || common === undefined ? statsOf(line.rows, column) : undefined;
  if (!stats) return <span title={common}>{textOf(common, column, width)}</span>;
  const [mean, min, max] = [stats.mean, stats.min, stats.max].map((each) => formatNumber(each, DIGITS));
  const std = stats.std === undefined ? "" : ` ± ${formatNumber(stats.std, 2)}`;
  const range = rangeOf(stats, line.rows.length, min, max);
  const kinds = `mean${std ? " ± standard deviation" : ""} of ${stats.count} of ${line.rows.length}, minimum and maximum`;
  // What a narrow column has no room for is in the title alone: a cut number looks like another one.
  return (
    <span class="grid-stats" title={`${mean}${std}${range && `, ${range}`}: ${kinds}`}>
      <span>{`${mean}${std}`.length <= charactersIn(width) ? `${mean}${std}` : mean}</span>
      <span class="grid-range">{range.length <= SMALL * charactersIn(width) ? range : null}</span>
    </span>
  );
}

/** "3 succeeded, 1 failed". */
function Statuses({ line }: { line: GroupLine }) {
  const counts = [...Map.groupBy(line.rows, (row) => row.status_id)].map(([id, rows]) => [rows.length, id] as const);
  const text = counts
    .toSorted(([a], [b]) => b - a)
    .map(([count, id]) => `${count.toLocaleString("en-US")} ${ITERATION_STATUS[id]}`)
    .join(", ");
  return (
    <span class="grid-statuses" title={text}>
      {text}
    </span>
  );
}

/** The extremes, or, of equal values, how many rows have one. */
function rangeOf(stats: Stats, rows: number, min: string | undefined, max: string | undefined): string {
  if (stats.min !== stats.max) return `${min} … ${max}`;
  return stats.count < rows ? `${stats.count} of ${rows}` : "";
}

export function GroupName(props: {
  line: GroupLine;
  authorOf: (id: string) => string;
  tabIndex: number;
  onToggle: () => void;
}) {
  const { line, authorOf, tabIndex, onToggle } = props;
  const value = valueText(line, authorOf);
  return (
    <button
      type="button"
      class="grid-group"
      tabIndex={tabIndex}
      aria-expanded={line.isOpen}
      style={{ paddingInlineStart: `${line.depth * 14}px` }}
      title={`${line.column.title} = ${value}`}
      onClick={onToggle}
    >
      {line.isOpen ? "▾" : "▸"} <span class="grid-group-of">{line.column.title} = </span>
      {value} <span class="count">{line.rows.length}</span>
    </button>
  );
}

function valueText({ column, value }: GroupLine, authorOf: (id: string) => string): string {
  if (column.kind !== "field" || !value) return value || "none";
  if (column.key === "status") return ITERATION_STATUS[Number(value) as keyof typeof ITERATION_STATUS];
  return column.key === "author" ? authorOf(value) : value;
}
