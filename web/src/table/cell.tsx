/** The contents of one cell. */
import { Link } from "../components/basics.tsx";
import { formatNumber } from "../components/format.ts";
import { IterationStatus } from "../components/status.tsx";
import { Duration, Time } from "../components/time.tsx";
import { type Column, cellValue, textOf } from "./columns.ts";
import { deltaOf } from "./lines.ts";
import type { Row } from "./model.ts";

interface Props {
  row: Row;
  column: Column;
  authorOf: (id: string) => string;
  baseline: Row | undefined;
  /** How far below its parent or in how many groups the row stands. */
  depth: number;
}

const INDENT = 14;

export function Cell({ row, column, authorOf, baseline, depth }: Props) {
  if (column.id === "name" && depth)
    return (
      <span style={{ paddingInlineStart: `${depth * INDENT}px` }}>
        <Field row={row} name="name" authorOf={authorOf} />
      </span>
    );
  if (column.kind === "field") return <Field row={row} name={column.key} authorOf={authorOf} />;
  const value = cellValue(row, column);
  const delta = deltaOf(row, baseline, column);
  const text = <span title={value === undefined ? undefined : String(value)}>{textOf(value, column)}</span>;
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

function Field({ row, name, authorOf }: { row: Row; name: string; authorOf: (id: string) => string }) {
  switch (name) {
    case "name":
      return (
        <Link to={`/iterations/${row.id}`}>
          <span title={row.name}>{row.name}</span>
        </Link>
      );
    case "status":
      return <IterationStatus id={row.status_id} />;
    case "created":
      return <Time at={row.created_date} />;
    case "ended":
      return row.end_date ? <Time at={row.end_date} /> : null;
    case "duration":
      return <Duration from={row.created_date} to={row.end_date} />;
    case "author":
      return row.created_by ? <span title={row.created_by}>{authorOf(row.created_by)}</span> : null;
    case "tags":
      return <Tags tags={row.tags} />;
    default:
      return <span title={row.notes}>{row.notes}</span>;
  }
}

function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <span title={tags.join(", ") || undefined}>
      {tags.map((each) => (
        <span class="tag" key={each}>
          {each}
        </span>
      ))}
    </span>
  );
}
