/** How many rows there are, how many are new, and how far groups and differences go. */
import { Button } from "../../components/basics.tsx";
import type { State } from "../rows/table-data.ts";
import { MOST_ROWS } from "../rows/use-data.ts";
import { coverageOf } from "./coverage.ts";

export function Count({ table, needs, onReload }: { table: State; needs: string; onReload: () => void }) {
  const { rows, hasMore, error } = table;
  const total = table.total ?? (hasMore ? undefined : rows.length);
  const many = total === undefined ? `more than ${rows.length.toLocaleString()}` : total.toLocaleString();
  const isKnown = table.isKnown && !(error && !rows.length);
  const coverage = coverageOf(needs, { rows: rows.length, total, hasMore, failed: !!error }, MOST_ROWS);
  return (
    <span class="grid-count">
      {table.added.length ? (
        <Button kind="plain" onClick={onReload}>
          {table.added.length} new, read again
        </Button>
      ) : null}
      {coverage && isKnown && !table.isOld ? <span class="grid-coverage">{coverage}</span> : null}
      <span role="status">
        {!isKnown ? "" : table.isOld ? "Reading…" : `${many} ${total === 1 ? "iteration" : "iterations"}`}
      </span>
    </span>
  );
}
