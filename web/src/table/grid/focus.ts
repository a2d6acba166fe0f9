/** The keyboard in the table: arrows move between cells; one row at a time is in the order of the Tab key. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Line } from "../rows/lines.ts";
import type { Layout } from "./layout.ts";
import { moved } from "./moves.ts";
import { ROW_HEIGHT, type ShownRows, scrolledTo } from "./rows-on-screen.ts";
import type { ScrollPosition } from "./scroll-position.ts";

/** The column of the check boxes. */
export const CHECK = "check";

interface Cell {
  line: number;
  column: string;
}

interface Table {
  lines: readonly Line[];
  layout: Layout;
  shown: ShownRows;
  position: ScrollPosition;
  /** A row is selected while the Shift key goes over it. */
  onSelect: (id: string, isOn: boolean, isRange: boolean) => void;
}

export function useFocus(scroller: { current: HTMLElement | null }, table: Table) {
  const [active, setActive] = useState(0);
  const wanted = useRef<Cell | undefined>(undefined);
  useLayoutEffect(() => {
    const element = wanted.current && elementOf(scroller.current, wanted.current);
    if (!element) return;
    element.focus({ preventScroll: true });
    wanted.current = undefined;
  });
  useKeptFocus(scroller, table.lines, setActive);
  const go = (cell: Cell) => {
    wanted.current = cell;
    setActive(cell.line);
    const element = scroller.current;
    if (!element) return;
    const { scrollTop: top, clientHeight: height } = element;
    element.scrollTop = scrolledTo(cell.line, table.shown.stuck, { top, height });
    element.scrollLeft = leftOf(cell.column, table);
    const target = elementOf(element, cell);
    target?.focus({ preventScroll: true });
    if (target) wanted.current = undefined;
  };
  const onKey = (event: KeyboardEvent) => {
    // A cell that comes to the screen takes the focus a moment later; the next key may be faster.
    const from = wanted.current ?? cellOf(event.target);
    if (!from) return;
    const columns = [CHECK, ...table.layout.all.map((each) => each.column.id)];
    const page = Math.max(1, Math.floor(table.position.height / ROW_HEIGHT) - 3 - table.shown.stuck);
    const { lines } = table;
    const to = moved(
      event,
      { line: from.line, column: columns.indexOf(from.column) },
      lines.length,
      columns.length,
      page,
    );
    if (!to) return;
    event.preventDefault();
    for (const each of event.shiftKey ? [lines[from.line], lines[to.line]] : [])
      if (each?.kind === "row") table.onSelect(each.row.id, true, false);
    go({ line: to.line, column: columns[to.column] ?? CHECK });
  };
  const { span } = table.shown;
  const isActiveShown = active < table.shown.stuck || (active >= span.first && active < span.end);
  const stop = isActiveShown ? active : table.shown.stuck ? 0 : span.first;
  return { set: setActive, go, onKey, isTabStop: (line: number) => line === stop };
}

/** A row that moves to another place among the lines takes its focus along. */
function useKeptFocus(
  scroller: { current: HTMLElement | null },
  lines: readonly Line[],
  setActive: (at: number) => void,
) {
  const before = useRef(lines);
  const isInside = () => !!scroller.current?.contains(document.activeElement);
  // While this renders, the page still shows the lines of before.
  const cell = isInside() ? cellOf(document.activeElement) : undefined;
  const key = cell && before.current[cell.line]?.key;
  useLayoutEffect(() => {
    before.current = lines;
    if (!cell || !key || lines[cell.line]?.key === key) return;
    const line = lines.findIndex((each) => each.key === key);
    if (line < 0) return;
    setActive(line);
    if (!isInside()) elementOf(scroller.current, { ...cell, line })?.focus({ preventScroll: true });
  });
}

/** The cell that an element is in. */
export function cellOf(target: EventTarget | null): Cell | undefined {
  if (!(target instanceof Element)) return undefined;
  const column = target.closest<HTMLElement>("[data-column]")?.dataset.column;
  const line = Number(target.closest<HTMLElement>("tr")?.dataset.line);
  return column === undefined || Number.isNaN(line) ? undefined : { line, column };
}

/** What is in the cell to use, or the cell itself. */
function elementOf(scroller: HTMLElement | null, { line, column }: Cell): HTMLElement | null {
  const cell = scroller?.querySelector<HTMLElement>(`tr[data-line="${line}"] [data-column="${CSS.escape(column)}"]`);
  return cell?.querySelector<HTMLElement>("input, a, .grid-group") ?? cell ?? null;
}

/** Where to scroll to, so that a column is in sight. */
function leftOf(column: string, { layout, position }: Table): number {
  const found = layout.all.find((each) => each.column.id === column);
  if (!found || found.isPinned) return position.left;
  const [start, end] = [found.left - layout.pinnedWidth, found.left + found.width];
  return Math.max(end - position.width, Math.min(position.left, start));
}
