/** Which columns of the table are in the page, and where: the pinned ones, and those near the screen. */
import { useMemo, useRef } from "preact/hooks";
import type { Column } from "../columns/columns.ts";
import { columnsOnScreen, type Span, sum } from "./window.ts";

export const CHECK_WIDTH = 34;
const NARROW_SCREEN = 600;
const NAME_ON_NARROW = 150;

export interface Columns {
  /** The pinned columns, the name among them, come first. */
  columns: readonly Column[];
  pinned: ReadonlySet<string>;
  widthOf: (column: Column) => number;
}

export interface Placed {
  column: Column;
  width: number;
  /** From the left edge of the table. */
  left: number;
  isPinned: boolean;
  /** As `aria-colindex` counts: from 1, with the column of the check boxes. */
  index: number;
}

export interface Layout {
  all: readonly Placed[];
  pinned: readonly Placed[];
  shown: readonly Placed[];
  /** With the column of the check boxes. */
  pinnedWidth: number;
  /** The widths of the columns that are not in the page, on each side of `shown`. */
  before: number;
  after: number;
  /** Of the whole table. */
  width: number;
}

/** Pixels on each side of the screen: a column that comes to the page lays out the whole table again. */
const AROUND = 480;

/** The columns in the page: the same until one that is not among them comes to the screen. */
function useSpan(widths: readonly number[], left: number, screen: number): Span {
  const kept = useRef({ widths, span: { first: 0, end: 0 } });
  const seen = columnsOnScreen(widths, left, screen, 0);
  const { span } = kept.current;
  const holds = kept.current.widths === widths && span.first <= seen.first && seen.end <= span.end;
  if (!holds) kept.current = { widths, span: columnsOnScreen(widths, left, screen, AROUND) };
  return kept.current.span;
}

/** The same object until another column comes to the page, or a column changes. */
export function useLayout({ columns, pinned: areFixed, widthOf }: Columns, left: number, width: number): Layout {
  const isNarrow = width < NARROW_SCREEN;
  const { all, pinned, free, pinnedWidth } = useMemo(
    () => placed({ columns, pinned: areFixed, widthOf }, isNarrow),
    [columns, areFixed, widthOf, isNarrow],
  );
  const widths = useMemo(() => free.map((each) => each.width), [free]);
  const { first, end } = useSpan(widths, left, width - pinnedWidth);
  return useMemo(() => {
    const [before, after] = [sum(widths.slice(0, first)), sum(widths.slice(end))];
    return { all, pinned, shown: free.slice(first, end), pinnedWidth, before, after, width: pinnedWidth + sum(widths) };
  }, [all, widths, first, end]);
}

function placed({ columns, pinned, widthOf }: Columns, isNarrow: boolean) {
  const isPinned = ({ id }: Column) => id === "name" || (!isNarrow && pinned.has(id));
  let left = CHECK_WIDTH;
  const all = [...columns.filter(isPinned), ...columns.filter((each) => !isPinned(each))].map((column, at): Placed => {
    const width = shownWidth(column, widthOf(column), isNarrow);
    left += width;
    return { column, width, left: left - width, isPinned: isPinned(column), index: 2 + at };
  });
  const [fixed, free] = [all.filter((each) => each.isPinned), all.filter((each) => !each.isPinned)];
  return { all, pinned: fixed, free, pinnedWidth: CHECK_WIDTH + sum(fixed.map((each) => each.width)) };
}

function shownWidth(column: Column, width: number, isNarrow: boolean): number {
  return isNarrow && column.id === "name" ? Math.min(NAME_ON_NARROW, width) : width;
}
