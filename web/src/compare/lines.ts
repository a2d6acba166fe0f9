/** The difference of two texts, line by line: the shortest list of removed and added lines (Myers' algorithm). */

export interface Piece {
  kind: "equal" | "removed" | "added";
  lines: string[];
}

// More changes than this take too long to find; such texts have little in common.
const MOST_CHANGES = 2500;

export function diffLines(before: string, after: string): Piece[] {
  const a = linesOf(before);
  const b = linesOf(after);
  const start = commonLength(a, b, (list, at) => list[at]);
  const end = commonLength(a.slice(start), b.slice(start), (list, at) => list[list.length - 1 - at]);
  const pieces: Piece[] = [];
  add(pieces, "equal", a.slice(0, start));
  addMiddle(pieces, a.slice(start, a.length - end), b.slice(start, b.length - end));
  add(pieces, "equal", a.slice(a.length - end));
  return pieces;
}

function linesOf(text: string): string[] {
  if (text === "") return [];
  return text.replace(/\r?\n$/, "").split(/\r?\n/);
}

function commonLength(a: string[], b: string[], line: (list: string[], at: number) => string | undefined): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && line(a, length) === line(b, length)) length += 1;
  return length;
}

/** Lines that begin and end differently. Those of too many changes are removed and added as a whole. */
function addMiddle(pieces: Piece[], a: string[], b: string[]): void {
  const steps = a.length && b.length ? findSteps(a, b) : undefined;
  if (!steps) {
    add(pieces, "removed", a);
    add(pieces, "added", b);
    return;
  }
  let [x, y] = [0, 0];
  for (const [toX, toY] of steps) {
    const common = Math.min(toX - x, toY - y);
    // A step is one removed or added line, or none, and the equal lines after it.
    if (toX - x > common) add(pieces, "removed", a.slice(x, x + 1));
    if (toY - y > common) add(pieces, "added", b.slice(y, y + 1));
    add(pieces, "equal", a.slice(toX - common, toX));
    [x, y] = [toX, toY];
  }
}

/** The points at which the shortest path through the grid of both texts ends a run of equal lines. */
function findSteps(a: string[], b: string[]): [number, number][] | undefined {
  const most = Math.min(a.length + b.length, MOST_CHANGES);
  const offset = most + 1;
  const furthest = new Int32Array(2 * offset + 1);
  const trace: Int32Array[] = [];
  for (let changes = 0; changes <= most; changes++) {
    trace.push(furthest.slice(offset - changes, offset + changes + 1));
    for (let k = -changes; k <= changes; k += 2) {
      const down = k === -changes || (k !== changes && at(furthest, offset + k - 1) < at(furthest, offset + k + 1));
      let x = down ? at(furthest, offset + k + 1) : at(furthest, offset + k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      furthest[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(trace, changes, [a.length, b.length]);
    }
  }
  return undefined;
}

function walkBack(trace: Int32Array[], changes: number, end: [number, number]): [number, number][] {
  const steps = [end];
  let k = end[0] - end[1];
  for (let left = changes; left > 0; left--) {
    // The state before the last change: diagonals from -left to left.
    const known = trace[left] as Int32Array;
    const down = k === -left || (k !== left && at(known, left + k - 1) < at(known, left + k + 1));
    k += down ? 1 : -1;
    const x = at(known, left + k);
    steps.push([x, x - k]);
  }
  return steps.reverse();
}

function at(numbers: Int32Array, index: number): number {
  return numbers[index] ?? 0;
}

function add(pieces: Piece[], kind: Piece["kind"], lines: string[]): void {
  if (!lines.length) return;
  const last = pieces.at(-1);
  if (last?.kind === kind) last.lines.push(...lines);
  else pieces.push({ kind, lines: [...lines] });
}
