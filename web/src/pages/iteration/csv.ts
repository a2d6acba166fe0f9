/** The first rows of a CSV file (RFC 4180), and how many there are. */
export const MOST_ROWS = 500;
export const MOST_COLUMNS = 100;

export interface Csv {
  head: string[];
  rows: string[][];
  /** Rows and columns in the file, which may be more than are here. */
  total: number;
  columns: number;
}

export function parseCsv(text: string, tabs = false): Csv {
  const source = text.replace(/^\uFEFF/, "");
  const separator = tabs ? "\t" : separatorOf(source);
  const rows: string[][] = [];
  let total = 0;
  let columns = 0;
  for (const row of rowsOf(source, separator)) {
    columns = Math.max(columns, row.length);
    if (rows.length <= MOST_ROWS) rows.push(row.slice(0, MOST_COLUMNS));
    total += 1;
  }
  const [head = [], ...others] = rows;
  return { head, rows: others, total: Math.max(0, total - 1), columns };
}

/** The one that is most frequent in the first line. */
function separatorOf(text: string): string {
  const line = text.slice(0, 10_000).split(/\r?\n/, 1)[0] ?? "";
  const counts = [",", ";", "\t"].map((each) => line.split(each).length);
  return [",", ";", "\t"][counts.indexOf(Math.max(...counts))] ?? ",";
}

function* rowsOf(text: string, separator: string): Generator<string[]> {
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const [cell, end] = text[at] === '"' ? quoted(text, at, separator) : bare(text, at, separator);
    row.push(cell);
    at = end;
    if (text[at] === separator) {
      at += 1;
      if (at < text.length) continue;
      row.push("");
    }
    if (text[at] === "\r" && text[at + 1] === "\n") at += 1;
    at += 1;
    if (row.length > 1 || row[0]) yield row;
    row = [];
  }
}

function bare(text: string, from: number, separator: string): [string, number] {
  let end = from;
  while (end < text.length && text[end] !== separator && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return [text.slice(from, end), end];
}

/** A cell in quotes, in which two quotes are one; what follows the last quote is taken as it is. */
function quoted(text: string, from: number, separator: string): [string, number] {
  let cell = "";
  let at = from + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return [cell + text.slice(at), text.length];
    cell += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      const [rest, end] = bare(text, quote + 1, separator);
      return [cell + rest, end];
    }
    cell += '"';
    at = quote + 2;
  }
}
