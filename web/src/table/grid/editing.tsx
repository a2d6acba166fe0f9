/** Change a name, notes or tags in their cell: double click, F2, or Enter on the cell. */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Editor } from "../../components/editor.tsx";
import type { Column } from "../columns/columns.ts";
import { editedText } from "../rows/edit.ts";
import type { Row } from "../rows/model.ts";
import { cellOf } from "./focus.ts";
import type { GridProps } from "./grid.tsx";
import type { Layout, Placed } from "./layout.ts";
import { HEAD_HEIGHT, ROW_HEIGHT } from "./rows-on-screen.ts";
import { px } from "./window.ts";

/** What a button in a cell does: it begins to edit the cell. */
export const EDIT = "edit";
const NARROWEST = 380;
const EDGE = 8;

/** The row as it was when the edit began: what others change meanwhile does not touch the text. */
interface Edited {
  row: Row;
  line: number;
  placed: Placed;
}

export function isEditable({ id }: Column): boolean {
  return id === "name" || id === "notes" || id === "tags";
}

export function useEditing(grid: GridProps, layout: Layout, focus: (cell: { line: number; column: string }) => void) {
  const [cell, setCell] = useState<Edited | undefined>();
  const begin = (target: EventTarget | null): boolean => {
    const at = cellOf(target);
    // Text that is being typed is not given up for another cell.
    if (!at || cell) return false;
    const line = grid.lines[at.line];
    const placed = layout.all.find((each) => each.column.id === at.column);
    if (!grid.save || line?.kind !== "row" || !placed || !isEditable(placed.column)) return false;
    setCell({ row: line.row, line: at.line, placed });
    return true;
  };
  const isAct = (target: EventTarget | null) => target instanceof Element && !!target.closest(`[data-act=${EDIT}]`);
  const isCell = (target: EventTarget | null) => target instanceof HTMLTableCellElement;
  return {
    cell,
    close: () => {
      if (cell) focus({ line: lineOf(grid, cell), column: cell.placed.column.id });
      setCell(undefined);
    },
    /** Without taking the focus back. */
    leave: () => setCell(undefined),
    /** True if the key begins to edit. */
    onKey: (event: KeyboardEvent): boolean => {
      const begins = event.key === "F2" || (event.key === "Enter" && isCell(event.target));
      if (!begins || !begin(event.target)) return false;
      event.preventDefault();
      return true;
    },
    onDoubleClick: (event: MouseEvent) => {
      if (begin(event.target)) event.preventDefault();
    },
    onClick: (event: MouseEvent) => {
      if (isAct(event.target)) begin(event.target);
    },
  };
}

/** Where the row is now: live rows may have moved it. */
function lineOf({ lines }: GridProps, { row, line }: Edited): number {
  const isHere = (at: number) => {
    const each = lines[at];
    return each?.kind === "row" && each.row.id === row.id;
  };
  if (isHere(line)) return line;
  const found = lines.findIndex((_, at) => isHere(at));
  return found < 0 ? Math.min(line, lines.length - 1) : found;
}

interface EditorProps {
  cell: Edited;
  close: () => void;
  leave: () => void;
  grid: GridProps;
  scroller: RefObject<HTMLElement | null>;
  /** So many lines do not scroll. */
  stuck: number;
}

/** In the top layer, over its cell, or at the edge of the table while the cell is out of sight. */
export function CellEditor({ cell, close, leave, grid, scroller, stuck }: EditorProps) {
  const { row, placed } = cell;
  const box = useRef<HTMLDivElement>(null);
  const line = lineOf(grid, cell);
  const now = grid.lines[line];
  const field = placed.column.id;
  useLayoutEffect(() => {
    box.current?.showPopover();
    // What is not shown yet takes no focus.
    const input = box.current?.querySelector<HTMLInputElement | HTMLTextAreaElement>("input, textarea");
    input?.focus();
    input?.setSelectionRange(input.value.length, input.value.length);
  }, []);
  useLayoutEffect(() => {
    const place = () => {
      if (box.current && scroller.current) put(box.current, scroller.current, placed, line, stuck);
    };
    place();
    addEventListener("scroll", place, { capture: true, passive: true });
    addEventListener("resize", place);
    return () => {
      removeEventListener("scroll", place, { capture: true });
      removeEventListener("resize", place);
    };
  }, [line, placed, stuck]);
  return (
    <div ref={box} popover="manual" class="cell-editor">
      <Editor
        label={field === "tags" ? "Tags, separated by commas" : placed.column.title}
        value={editedText(now?.kind === "row" && now.row.id === row.id ? now.row : row, field)}
        long={field === "notes"}
        save={async (text) => grid.save?.(row, field, text)}
        close={close}
        leave={leave}
      />
    </div>
  );
}

function put(box: HTMLElement, scroller: HTMLElement, { left, width, isPinned }: Placed, line: number, stuck: number) {
  const table = scroller.getBoundingClientRect();
  const wanted = Math.min(Math.max(width, NARROWEST), document.documentElement.clientWidth - 2 * EDGE);
  box.style.width = px(wanted);
  const x = table.left + left - (isPinned ? 0 : scroller.scrollLeft);
  const y = table.top + HEAD_HEIGHT + line * ROW_HEIGHT - (line < stuck ? 0 : scroller.scrollTop);
  const lowest = Math.min(innerHeight - EDGE, Math.max(table.bottom, table.top + 2 * HEAD_HEIGHT)) - ROW_HEIGHT;
  const top = Math.max(table.top + HEAD_HEIGHT, Math.min(lowest, y));
  box.style.left = px(Math.max(EDGE, Math.min(x, document.documentElement.clientWidth - wanted - EDGE)));
  box.style.top = px(Math.max(EDGE, Math.min(top, innerHeight - box.offsetHeight - EDGE)));
}
