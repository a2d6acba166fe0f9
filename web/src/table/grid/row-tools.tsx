/** At the end of a row's name, where one points at it: pin the row, and change its name. */
import type { Row } from "../rows/model.ts";
import { EDIT } from "./editing.tsx";
import type { RowContext } from "./grid.tsx";

interface Props {
  context: RowContext;
  row: Row;
  at: number;
  tabIndex: number;
}

const PIN = "M5 1h6l-.8 1.2v4L12 8v1.4H8.7V15h-1.4V9.4H4V8l1.8-1.8v-4z";
const PENCIL = "M11.3 1.3 14.7 4.7 5 14.4 1 15l.6-4zM10 4l2 2";

export function RowTools({ context, row, at, tabIndex }: Props) {
  const isPinned = context.pinnedRows.has(row.id);
  return (
    <span class={`row-tools ${isPinned && at < context.topCount ? "is-on" : ""}`}>
      {context.save ? (
        <button
          type="button"
          class="row-tool"
          tabIndex={tabIndex}
          data-act={EDIT}
          aria-label="Rename"
          title="Rename (F2)"
        >
          <Icon path={PENCIL} />
        </button>
      ) : null}
      <button
        type="button"
        class="row-tool"
        tabIndex={tabIndex}
        aria-label="Pin"
        aria-pressed={isPinned}
        title={isPinned ? "Unpin" : "Pin to the top"}
        onClick={() => context.onPinRow(row.id)}
      >
        <Icon path={PIN} />
      </button>
    </span>
  );
}

function Icon({ path }: { path: string }) {
  return (
    <svg width="12" height="12" viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
