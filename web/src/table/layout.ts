/** Which columns of the table are in the page, and where: the pinned ones, and those near the screen. */
import { useMemo } from "preact/hooks";
import type { Column } from "./columns.ts";
import { columnsOnScreen, sum } from "./window.ts";

export const CHECK_WIDTH = 34;
const NARROW_SCREEN = 600;
const NAME_ON_NARROW = 150;

export interface Columns {
  /** The pinned columns, the name among them, come first. */
  columns: readonly Column[];
  pinned: ReadonlySet<string>;
  widthOf: (column: Column) => number;
}

interface Placed {
  column: Column;
  width: number;
  /** As `aria-colindex` counts: from 1, with the column of the check boxes. */
  index: number;
}

export interface Layout {
  pinned: readonly (Placed & { left: number })[];
  shown: readonly Placed[];
  /** The widths of the columns that are not in the page, on each side of `shown`. */
  before: number;
  after: number;
  /** Of the whole table. */
  width: number;
}

/** The same object until another column comes to the screen. */
export function useLayout(given: Columns, left: number, width: number): Layout {
  const isNarrow = width < NARROW_SCREEN;
  const { pinned, free, pinnedWidth } = useMemo(() => placed(given, isNarrow), [given, isNarrow]);
  const widths = useMemo(() => free.map((each) => each.width), [free]);
  const { first, end } = columnsOnScreen(widths, left, width - pinnedWidth);
  return useMemo(() => {
    const [before, after] = [sum(widths.slice(0, first)), sum(widths.slice(end))];
    return { pinned, shown: free.slice(first, end), before, after, width: pinnedWidth + sum(widths) };
  }, [pinned, free, widths, first, end]);
}

function placed({ columns, pinned, widthOf }: Columns, isNarrow: boolean) {
  const isPinned = ({ id }: Column) => id === "name" || (!isNarrow && pinned.has(id));
  const ordered = [...columns.filter(isPinned), ...columns.filter((each) => !isPinned(each))];
  const all = ordered.map((column, at) => ({
    column,
    width: shownWidth(column, widthOf(column), isNarrow),
    index: 2 + at,
  }));
  const [fixed, free] = [all.slice(0, columns.filter(isPinned).length), all.slice(columns.filter(isPinned).length)];
  let left = CHECK_WIDTH;
  const withLeft = fixed.map((each) => {
    const at = left;
    left += each.width;
    return { ...each, left: at };
  });
  return { pinned: withLeft, free, pinnedWidth: left };
}

function shownWidth(column: Column, width: number, isNarrow: boolean): number {
  return isNarrow && column.id === "name" ? Math.min(NAME_ON_NARROW, width) : width;
}
