/** What differs between iterations, and what is equal. */
import type { WireNumber } from "../components/format.ts";
import type { Compared } from "./read.ts";

/** Undefined where an iteration has nothing of this name. */
export type Cell = { text: string } | { last: WireNumber; min: WireNumber; max: WireNumber } | undefined;

export interface Line {
  key: string;
  cells: readonly Cell[];
}

export interface Group {
  title: string;
  different: Line[];
  equal: Line[];
}

/** The groups that have lines, each in the natural order of its keys. */
export function groupsOf(all: readonly Compared[]): Group[] {
  const groups = [
    groupOf("Parameters", all, (each) => textsOf(each.parameters)),
    groupOf("Metrics", all, (each) => each.metrics as Record<string, Cell>),
    groupOf("Tags", all, (each) => textsOf(Object.fromEntries(each.tags.map((tag) => [tag, "✓"])))),
    groupOf("Labels", all, (each) => textsOf(each.iteration.labels ?? {})),
    groupOf("Program", all, (each) => textsOf(programOf(each))),
  ];
  return groups.filter((each) => each.different.length || each.equal.length);
}

function programOf({ iteration }: Compared): Record<string, string> {
  const { git_sha, git_dirty, entrypoint, python_version, julia_version, notes } = iteration;
  const known = {
    commit: git_sha && `${git_sha.slice(0, 12)}${git_dirty ? " + changes" : ""}`,
    entrypoint,
    Python: python_version,
    Julia: julia_version,
    notes,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value));
}

function textsOf(values: Readonly<Record<string, string>>): Record<string, Cell> {
  return Object.fromEntries(Object.entries(values).map(([key, text]) => [key, { text }]));
}

function groupOf(title: string, all: readonly Compared[], cellsOf: (each: Compared) => Record<string, Cell>): Group {
  const columns = all.map(cellsOf);
  const keys = [...new Set(columns.flatMap(Object.keys))].sort(inNaturalOrder);
  const cellOf = (column: Record<string, Cell>, key: string) => (Object.hasOwn(column, key) ? column[key] : undefined);
  const lines = keys.map((key) => ({ key, cells: columns.map((each) => cellOf(each, key)) }));
  const equal = lines.filter(isEqual);
  return { title, different: lines.filter((each) => !isEqual(each)), equal };
}

function isEqual({ cells }: Line): boolean {
  const first = signOf(cells[0]);
  return cells.every((each) => signOf(each) === first);
}

function signOf(cell: Cell): string {
  if (!cell) return "";
  return JSON.stringify("text" in cell ? cell.text : [cell.last, cell.min, cell.max]);
}

const collator = new Intl.Collator("en", { numeric: true });

function inNaturalOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

/** Parameters as a text of lines, for the line by line difference. */
export function parametersText(parameters: Readonly<Record<string, string>>): string {
  const keys = Object.keys(parameters).sort(inNaturalOrder);
  return keys.map((key) => `${key} = ${parameters[key]}\n`).join("");
}
