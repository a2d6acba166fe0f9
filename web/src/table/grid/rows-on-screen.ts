/** Which lines are in the page: the pinned ones always, of the others those near the screen. */
import type { ScrollPosition } from "./scroll-position.ts";
import { rowsOnScreen, type Span } from "./window.ts";

export const ROW_HEIGHT = 36;
export const HEAD_HEIGHT = 46;

export interface ShownRows {
  /** So many pinned rows stay in sight; further ones scroll with the others. */
  stuck: number;
  /** Of all lines, the pinned ones included. */
  span: Span;
}

/** Pinned rows take at most half of the table. */
export function shownRows(
  lines: number,
  pinned: number,
  { top, height }: Pick<ScrollPosition, "top" | "height">,
): ShownRows {
  const stuck = Math.min(pinned, Math.max(1, Math.floor((height - HEAD_HEIGHT) / 2 / ROW_HEIGHT)));
  const behind = Math.max(0, top - (pinned - stuck) * ROW_HEIGHT);
  const { first, end } = rowsOnScreen(lines - pinned, ROW_HEIGHT, behind, height);
  return { stuck, span: { first: pinned + first, end: pinned + end } };
}

/** Where to scroll to, so that a line is in sight between the pinned rows and the lower edge. */
export function scrolledTo(
  line: number,
  stuck: number,
  { top, height }: Pick<ScrollPosition, "top" | "height">,
): number {
  if (line < stuck) return top;
  const [start, end] = [line * ROW_HEIGHT, (line + 1) * ROW_HEIGHT];
  return Math.max(end + HEAD_HEIGHT - height, Math.min(top, start - stuck * ROW_HEIGHT));
}
