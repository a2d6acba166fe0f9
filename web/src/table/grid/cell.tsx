/** The contents of one cell. */
import { RUNNING } from "../../api/words.ts";
import { Link } from "../../components/basics.tsx";
import { formatNumber } from "../../components/format.ts";
import { LastSeen } from "../../components/last-seen.tsx";
import { IterationStatus } from "../../components/status.tsx";
import { Duration, Time } from "../../components/time.tsx";
import { type Column, cellValue, textOf } from "../columns/columns.ts";
import { tagsThatFit } from "../columns/fit.ts";
import type { Row } from "../rows/model.ts";
import { deltaOf } from "../rows/stats.ts";
import type { RowContext } from "./grid.tsx";

interface Props {
  context: RowContext;
  row: Row;
  column: Column;
  width: number;
  /** How far below its parent or in how many groups the row stands. */
  depth: number;
  tabIndex: number;
}

const INDENT = 14;

export function Cell({ context, row, column, width, depth, tabIndex }: Props) {
  if (column.id === "name") return <Name row={row} depth={depth} tabIndex={tabIndex} />;
  if (column.id === "status") return <StatusCell row={row} seen={context.lastSeen.get(row.id)} />;
  if (column.kind === "field") return <Field row={row} name={column.key} width={width} authorOf={context.authorOf} />;
  const value = cellValue(row, column);
  const delta = deltaOf(row, context.baseline, column);
  const text = <span title={value === undefined ? undefined : String(value)}>{textOf(value, column, width)}</span>;
  if (delta === undefined) return text;
  return (
    <span class="grid-stats">
      {text}
      <span class="grid-range" title="Difference to the baseline">
        {delta > 0 ? "+" : ""}
        {formatNumber(delta, 3)}
      </span>
    </span>
  );
}

function Name({ row, depth, tabIndex }: Pick<Props, "row" | "depth" | "tabIndex">) {
  const link = (
    <Link to={`/iterations/${row.id}`} tabIndex={tabIndex}>
      <span title={row.name}>{row.name}</span>
    </Link>
  );
  return depth ? <span style={{ paddingInlineStart: `${depth * INDENT}px` }}>{link}</span> : link;
}

function StatusCell({ row, seen }: { row: Row; seen: string | undefined }) {
  const status = <IterationStatus id={row.status_id} />;
  if (row.status_id !== RUNNING || !seen) return status;
  return (
    <span class="grid-stats">
      {status}
      <LastSeen at={seen} />
    </span>
  );
}

interface FieldProps {
  row: Row;
  name: string;
  width: number;
  authorOf: (id: string) => string;
}

function Field({ row, name, width, authorOf }: FieldProps) {
  switch (name) {
    case "created":
      return <Time at={row.created_date} />;
    case "ended":
      return row.end_date ? <Time at={row.end_date} /> : null;
    case "duration":
      return <Duration from={row.created_date} to={row.end_date} />;
    case "author":
      return row.created_by ? <span title={row.created_by}>{authorOf(row.created_by)}</span> : null;
    case "tags":
      return <Tags tags={row.tags} width={width} />;
    default:
      return <span title={row.notes}>{row.notes}</span>;
  }
}

function Tags({ tags, width }: { tags: readonly string[]; width: number }) {
  const shown = tags.slice(0, tagsThatFit(tags, width));
  return (
    <span class="grid-tags" title={tags.join(", ") || undefined}>
      {shown.map((each) => (
        <span class="tag" key={each}>
          {each}
        </span>
      ))}
      {shown.length < tags.length ? <span class="grid-more">+{tags.length - shown.length}</span> : null}
    </span>
  );
}
