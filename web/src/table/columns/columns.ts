/** The columns of the table: which there are, which are shown, and their order as the server takes it. */
import { formatNumber } from "../../components/format.ts";
import { isOfMachine } from "../../components/metric-keys.ts";
import { type Keys, type MetricValue, PARTS, type Part, type Row } from "../rows/model.ts";
import type { Sorting } from "../rows/order.ts";
import { quoted } from "./quoted.ts";

export type Kind = "field" | "parameter" | "metric" | "label";

export interface Column {
  /** `name`, `p:lr`, `m:loss`, `min:loss`, `l:team`. */
  id: string;
  kind: Kind;
  key: string;
  title: string;
  part?: Part;
  isNumber: boolean;
  width: number;
  /** As `order_by` takes it; a column without it cannot be sorted. */
  order?: string;
}

const FIELD_COLUMNS: readonly Column[] = [
  field("name", "Name", 200, "name"),
  field("status", "Status", 108, "status"),
  field("created", "Created", 108, "created_date", true),
  field("duration", "Duration", 96, undefined, true),
  field("tags", "Tags", 130),
];
/** Behind the keys. */
const LAST_COLUMNS: readonly Column[] = [
  field("notes", "Notes", 220, "notes"),
  field("author", "Author", 120, "created_by"),
];
/** Not shown until somebody chooses them. */
const FURTHER: readonly Column[] = [field("ended", "Ended", 110, "end_date", true)];
const BY_FIELD = new Map([...FIELD_COLUMNS, ...LAST_COLUMNS, ...FURTHER].map((each) => [each.id, each]));

function field(id: string, title: string, width: number, order?: string, isNumber = false): Column {
  return { id, kind: "field", key: id, title, isNumber, width, ...(order ? { order } : {}) };
}

export function metricColumn(key: string, part: Part = "last"): Column {
  const id = `${part === "last" ? "m" : part}:${key}`;
  const title = part === "last" ? key : `${key} ${part.replace("_", " ")}`;
  return { id, kind: "metric", key, part, title, isNumber: true, width: 124, order: `metrics.${quoted(key)}.${part}` };
}

function parameterColumn(key: string, isNumber = false): Column {
  return {
    id: `p:${key}`,
    kind: "parameter",
    key,
    title: key,
    isNumber,
    width: 120,
    order: `parameters.${quoted(key)}`,
  };
}

function labelColumn(key: string): Column {
  return {
    id: `l:${key}`,
    kind: "label",
    key,
    title: key,
    isNumber: false,
    width: 120,
    order: `labels.${quoted(key)}`,
  };
}

/** All columns that these keys allow, in the order in which they are shown at first: results, then settings. */
export function columnsOf(keys: Keys): Column[] {
  const metrics = keys.metrics.map((each) => metricColumn(each.key));
  return [
    ...FIELD_COLUMNS,
    ...metrics.toSorted((a, b) => Number(isOfMachine(a.key)) - Number(isOfMachine(b.key))),
    ...keys.parameters.map((each) => parameterColumn(each.key, each.type === "number")),
    ...keys.labels.map((each) => labelColumn(each.key)),
    ...LAST_COLUMNS,
    ...FURTHER,
  ];
}

/** The columns of these ids. A key that is no longer in use keeps its column. */
export function columnsOfIds(ids: readonly string[], all: readonly Column[]): Column[] {
  const known = new Map(all.map((each) => [each.id, each]));
  return ids.flatMap((id) => known.get(id) ?? columnOf(id) ?? []);
}

function columnOf(id: string): Column | undefined {
  const [kind, key] = [id.slice(0, id.indexOf(":")), id.slice(id.indexOf(":") + 1)];
  if (kind === "m") return metricColumn(key);
  if (kind === "p") return parameterColumn(key);
  if (kind === "l") return labelColumn(key);
  if (PARTS.includes(kind as Part)) return metricColumn(key, kind as Part);
  return BY_FIELD.get(id);
}

/** Columns of keys beyond this number are shown when they are chosen. */
export const MOST_KEYS = 300;

export function shownAtFirst(all: readonly Column[]): string[] {
  const fields = FIELD_COLUMNS.map((each) => each.id);
  const metrics = all.filter((each) => each.kind === "metric").map((each) => each.id);
  const others = all.filter((each) => each.kind !== "field" && each.kind !== "metric").map((each) => each.id);
  // Many metrics leave room for parameters.
  const settings = others.slice(0, MOST_KEYS - Math.min(metrics.length, MOST_KEYS / 2));
  const results = metrics.slice(0, MOST_KEYS - settings.length);
  return [...fields, ...results, ...settings, ...LAST_COLUMNS.map((each) => each.id)];
}

/** The value of a cell: what it sorts, differs and exports by. */
export function cellValue(row: Row, column: Column): MetricValue | string | undefined {
  switch (column.kind) {
    case "parameter":
      return row.parameters[column.key];
    case "label":
      return row.labels[column.key];
    case "metric":
      return row.metrics[column.key]?.[column.part ?? "last"] ?? undefined;
    case "field":
      return fieldOf(row, column.key);
  }
}

function fieldOf(row: Row, key: string): string | undefined {
  if (key === "name") return row.name;
  if (key === "notes") return row.notes;
  if (key === "status") return String(row.status_id);
  if (key === "author") return row.created_by ?? undefined;
  if (key === "created") return row.created_date;
  if (key === "ended") return row.end_date ?? undefined;
  if (key === "tags") return row.tags.join(", ");
  return undefined;
}

/** The number in a cell; undefined for a text and for no value. */
export function numberOf(row: Row, column: Column): number | undefined {
  if (column.key === "duration" && column.kind === "field") return secondsOf(row);
  const value = cellValue(row, column);
  if (value === undefined || column.kind === "field" || value === "") return undefined;
  const number = Number(value);
  return Number.isNaN(number) && value !== "NaN" ? undefined : number;
}

/** How long an ended iteration took. */
function secondsOf(row: Row): number | undefined {
  return row.end_date ? Math.max(0, (Date.parse(row.end_date) - Date.parse(row.created_date)) / 1000) : undefined;
}

/** Pixels of a cell that are no text, and of a digit. */
const PADDING = 18;
const DIGIT = 8.6;

/** A value as people read it. A parameter stays as it was logged, but a long number is not cut: it becomes shorter. */
export function textOf(value: MetricValue | string | undefined, column: Column, width = column.width): string {
  if (value === undefined) return "";
  const text = column.kind === "metric" ? formatNumber(value as MetricValue) : String(value);
  const most = charactersIn(width);
  const isCut = column.isNumber && text.length > most && Number.isFinite(Number(value));
  return isCut ? shorter(Number(value), most) : text;
}

/** How many digits a column has room for. */
export function charactersIn(width: number): number {
  return Math.floor((width - PADDING) / DIGIT);
}

/** The most digits of a number that fit into so many characters. */
function shorter(value: number, most: number): string {
  const texts = [5, 4, 3, 2, 1].flatMap((digits) => [
    formatNumber(value, digits),
    value
      .toExponential(digits - 1)
      .replace("e+", "e")
      .replaceAll("-", "−"),
  ]);
  return texts.find((each) => each.length <= most) ?? texts.at(-1) ?? "";
}

/** The columns of parameters, metrics and labels whose values differ between the rows; fields always stay. */
export function differing(columns: readonly Column[], rows: readonly Row[]): Column[] {
  const [first, ...others] = rows;
  if (!first) return [...columns];
  return columns.filter((column) => {
    if (column.kind === "field") return true;
    const value = cellValue(first, column);
    return others.some((row) => cellValue(row, column) !== value);
  });
}

/** `order_by` for a column; the creation decides ties. */
export function orderOf(sort: string, all: readonly Column[]): string {
  const [id, isDown] = parseSort(sort);
  const [column] = columnsOfIds([id], all);
  return column?.order ? `${column.order}${isDown ? " desc" : ""}` : "created_date desc";
}

/** How rows that change move; undefined in the order of creation, which does not change. */
export function sortingOf(sort: string, all: readonly Column[]): Sorting | undefined {
  const [id, isDown] = parseSort(sort);
  const [column] = columnsOfIds([id], all);
  if (!column?.order || id === "created") return undefined;
  const { kind, key, part } = column;
  return { column: { id, kind, key, ...(part ? { part } : {}) }, isDown };
}

export function parseSort(sort: string): [id: string, isDown: boolean] {
  return sort.startsWith("-") ? [sort.slice(1), true] : [sort, false];
}
