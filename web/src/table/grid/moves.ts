/** Where a key moves the focus in the table: from one cell to another. */

export interface Place {
  line: number;
  /** An index in all columns, that of the check boxes included. */
  column: number;
}

interface Pressed {
  key: string;
  ctrlKey: boolean;
}

/** Undefined if the key does not move. `page`: how many lines are on the screen. */
export function moved(
  { key, ctrlKey }: Pressed,
  { line, column }: Place,
  lines: number,
  columns: number,
  page: number,
): Place | undefined {
  const at = (line: number, column: number) => ({
    line: Math.max(0, Math.min(lines - 1, line)),
    column: Math.max(0, Math.min(columns - 1, column)),
  });
  switch (key) {
    case "ArrowDown":
      return at(line + 1, column);
    case "ArrowUp":
      return at(line - 1, column);
    case "ArrowRight":
      return at(line, ctrlKey ? columns : column + 1);
    case "ArrowLeft":
      return at(line, ctrlKey ? 0 : column - 1);
    case "PageDown":
      return at(line + page, column);
    case "PageUp":
      return at(line - page, column);
    case "Home":
      return ctrlKey ? at(0, column) : at(line, 0);
    case "End":
      return ctrlKey ? at(lines, column) : at(line, columns);
    default:
      return undefined;
  }
}
