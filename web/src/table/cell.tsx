/** The contents of one cell. */
import { Link } from "../components/basics.tsx";
import { IterationStatus } from "../components/status.tsx";
import { Duration, Time } from "../components/time.tsx";
import { type Column, cellValue, textOf } from "./columns.ts";
import type { Row } from "./model.ts";

interface Props {
  row: Row;
  column: Column;
  authorOf: (id: string) => string;
}

export function Cell({ row, column, authorOf }: Props) {
  if (column.kind === "field") return <Field row={row} name={column.key} authorOf={authorOf} />;
  const value = cellValue(row, column);
  return <span title={value === undefined ? undefined : String(value)}>{textOf(value, column)}</span>;
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
