/** Which rows and columns of a large table are on the screen. */

export interface Span {
  first: number;
  /** Not in the span any more. */
  end: number;
}

/** The rows on the screen and `around` more on each side. All rows have one height. */
export function rowsOnScreen(count: number, height: number, top: number, screen: number, around = 8): Span {
  const first = Math.max(0, Math.min(count, Math.floor(top / height) - around));
  return { first, end: Math.max(first, Math.min(count, Math.ceil((top + screen) / height) + around)) };
}

/** The columns on the screen, of which those before `left` are covered by the pinned ones. */
export function columnsOnScreen(widths: readonly number[], left: number, screen: number, around = 250): Span {
  let [first, end, at] = [0, 0, 0];
  for (const [index, width] of widths.entries()) {
    if (at + width < left - around) first = index + 1;
    if (at <= left + screen + around) end = index + 1;
    at += width;
  }
  return { first: Math.min(first, end), end };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

export function px(length: number): string {
  return `${length}px`;
}
