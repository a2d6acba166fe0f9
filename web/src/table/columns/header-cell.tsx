/** The head of a column: sort it, resize it, drag it, and a menu with the same for the keyboard. */
import { useId, useRef, useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import { px } from "../grid/window.ts";
import { NARROWEST, WIDEST } from "../settings.ts";
import type { Column } from "./columns.ts";

export interface ColumnActions {
  onSort: (column: Column, isDown?: boolean) => void;
  onResize: (column: Column, width: number) => void;
  onMove: (column: Column, places: number) => void;
  onDrop: (id: string, before: Column) => void;
  onPin: (column: Column) => void;
  onHide: (column: Column) => void;
  onAdd: (column: Column, part: "min" | "max") => void;
  onGroup?: ((column: Column) => void) | undefined;
}

interface Props extends ColumnActions {
  column: Column;
  width: number;
  index: number;
  sorted: "ascending" | "descending" | undefined;
  left: number | undefined;
  /** The kind of the columns from here on. */
  caption: string | undefined;
}

const KEY_STEP = 30;

export function HeaderCell({ column, width, index, sorted, left, caption, ...act }: Props) {
  const isPinned = left !== undefined;
  const isName = column.id === "name";
  return (
    <th
      scope="col"
      class={`${isPinned ? "is-pinned" : ""} ${column.isNumber ? "number" : ""}`}
      style={{ width: px(width), left: left === undefined ? undefined : px(left) }}
      aria-sort={sorted}
      aria-colindex={index}
      draggable={!isName}
      onDragStart={(event) => event.dataTransfer?.setData("text/x-column", column.id)}
      onDragOver={(event) => event.dataTransfer?.types.includes("text/x-column") && event.preventDefault()}
      onDrop={(event) => act.onDrop(event.dataTransfer?.getData("text/x-column") ?? "", column)}
    >
      {caption ? <span class="grid-caption">{caption}</span> : null}
      <div class="grid-head">
        {column.order ? (
          <button type="button" class="grid-sort" title={column.title} onClick={() => act.onSort(column)}>
            {column.title}
          </button>
        ) : (
          <span class="grid-sort" title={column.title}>
            {column.title}
          </span>
        )}
        {sorted ? <span aria-hidden="true">{sorted === "ascending" ? "↑" : "↓"}</span> : null}
        <ColumnMenu column={column} width={width} isPinned={isPinned} {...act} />
      </div>
      <Handle width={width} onResize={(next) => act.onResize(column, next)} />
    </th>
  );
}

type MenuProps = ColumnActions & { column: Column; width: number; isPinned: boolean };

function ColumnMenu({ column, width, isPinned, ...act }: MenuProps) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const isName = column.id === "name";
  const item = (label: string, run: () => void, stays = false) => (
    <Button
      kind="plain"
      onClick={() => {
        if (!stays) document.getElementById(id)?.hidePopover();
        run();
      }}
    >
      {label}
    </Button>
  );
  const items = () => (
    <>
      {column.order && item("Sort ascending", () => act.onSort(column, false))}
      {column.order && item("Sort descending", () => act.onSort(column, true))}
      {item("Wider", () => act.onResize(column, width + KEY_STEP), true)}
      {item("Narrower", () => act.onResize(column, width - KEY_STEP), true)}
      {!isName && item(isPinned ? "Unpin" : "Pin at the left", () => act.onPin(column))}
      {!isName && item("Move left", () => act.onMove(column, -1), true)}
      {!isName && item("Move right", () => act.onMove(column, 1), true)}
      {column.part === "last" && item("Add its minimum", () => act.onAdd(column, "min"))}
      {column.part === "last" && item("Add its maximum", () => act.onAdd(column, "max"))}
      {act.onGroup && isGrouping(column) && item("Group by it", () => act.onGroup?.(column))}
      {!isName && item("Hide", () => act.onHide(column))}
    </>
  );
  return (
    <>
      <button type="button" class="grid-menu" popovertarget={id} aria-label={`Column ${column.title}`}>
        ⋮
      </button>
      <div
        id={id}
        popover="auto"
        class="chart-menu-list"
        onBeforeToggle={(event) => setOpen(event.newState === "open")}
      >
        {isOpen ? items() : null}
      </div>
    </>
  );
}

function isGrouping(column: Column): boolean {
  return column.kind === "parameter" || column.kind === "label" || ["status", "author"].includes(column.id);
}

/** The right edge of a column, to drag. */
function Handle({ width, onResize }: { width: number; onResize: (width: number) => void }) {
  const from = useRef<{ x: number; width: number } | undefined>(undefined);
  return (
    <span
      class="grid-handle"
      aria-hidden="true"
      draggable
      onDragStart={(event) => {
        // The handle resizes its column; it must not drag it away.
        event.preventDefault();
        event.stopPropagation();
      }}
      onPointerDown={(event) => {
        from.current = { x: event.clientX, width };
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove={(event) => {
        const start = from.current;
        if (start) onResize(Math.min(WIDEST, Math.max(NARROWEST, start.width + event.clientX - start.x)));
      }}
      onPointerUp={() => {
        from.current = undefined;
      }}
    />
  );
}
