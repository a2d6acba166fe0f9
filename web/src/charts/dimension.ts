/** Parameters and last values of metrics as axes: positions in [0, 1], ticks and texts. */
import { formatNumber, type WireNumber } from "../components/format.ts";
import { inNaturalOrder } from "./sections.ts";
import { formatTick, ticksOf } from "./ticks.ts";

export interface Dimension {
  /** "parameters.lr" or "metrics.loss". */
  name: string;
  label: string;
  /** The value of each iteration; undefined where it has none that the axis can show. */
  values: readonly (number | string | undefined)[];
  scale: "number" | "log" | "category";
  /** The ends of an axis of numbers. */
  range: readonly [number, number];
  /** The categories in order. */
  categories: readonly string[];
}

const LOG_FROM = 100;

export function dimensionOf(name: string, given: readonly (WireNumber | string | null | undefined)[]): Dimension {
  const label = name.slice(name.indexOf(".") + 1);
  const present = given.filter((each) => each !== null && each !== undefined && each !== "");
  const numbers = present.map(Number).filter(Number.isFinite);
  const isMetric = name.startsWith("metrics.");
  if (numbers.length && (isMetric || numbers.length === present.length)) {
    const values = given.map(numberOf);
    const range = [Math.min(...numbers), Math.max(...numbers)] as const;
    const scale = range[0] > 0 && range[1] / range[0] >= LOG_FROM ? "log" : "number";
    return { name, label, values, scale, range, categories: [] };
  }
  const values = given.map((each) => (each === null || each === undefined || isMetric ? undefined : String(each)));
  const categories = [...new Set(values.filter((each) => each !== undefined))].sort(inNaturalOrder);
  return { name, label, values, scale: "category", range: [0, 1], categories };
}

function numberOf(value: unknown): number | undefined {
  const number = value === null || value === undefined || value === "" ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** The label of the axis. Its ticks alone do not say that it is logarithmic. */
export function titleOf({ label, scale }: Dimension): string {
  return scale === "log" ? `${label} (log)` : label;
}

/** Where a value is on the axis, from 0 to 1. */
export function positionOf(
  { scale, range, categories }: Dimension,
  value: number | string | undefined,
): number | undefined {
  if (value === undefined) return undefined;
  if (scale === "category") {
    return categories.length < 2 ? 0.5 : categories.indexOf(String(value)) / (categories.length - 1);
  }
  const of = scale === "log" ? Math.log10 : (each: number) => each;
  const [low, high] = range.map(of) as [number, number];
  return high > low ? (of(value as number) - low) / (high - low) : 0.5;
}

/** The value at a position of an axis of numbers. */
export function valueAtPosition({ scale, range: [low, high] }: Dimension, position: number): number {
  return scale === "log" ? low * (high / low) ** position : low + position * (high - low);
}

export interface AxisTick {
  position: number;
  text: string;
}

export function ticksOfDimension(dimension: Dimension, wanted: number): AxisTick[] {
  const { scale, range, categories } = dimension;
  if (scale === "category") {
    const every = Math.ceil(categories.length / (3 * wanted));
    return categories.flatMap((text, at) =>
      at % every ? [] : { position: positionOf(dimension, text) as number, text },
    );
  }
  const own = ownTicks(dimension, wanted);
  if (own) return own;
  const ticks = range[0] < range[1] ? ticksOf(...range, wanted, scale) : [range[0]];
  const step = ticks.length > 1 ? (ticks[1] as number) - (ticks[0] as number) : Math.abs(range[0]) / 100 || 1;
  return ticks.map((each) => ({
    position: positionOf(dimension, each) as number,
    text: range[0] < range[1] ? formatTick(each, step, scale) : formatNumber(each),
  }));
}

/** Of a parameter with few values: a tick at each, such as 128, as far as their texts have room. */
function ownTicks(dimension: Dimension, wanted: number): AxisTick[] | undefined {
  if (!dimension.name.startsWith("parameters.")) return undefined;
  const values = [...new Set(dimension.values as (number | undefined)[])].filter((each) => each !== undefined);
  if (values.length < 2 || values.length > 2 * wanted) return undefined;
  const [gap, found] = [1 / (2.2 * wanted), [] as AxisTick[]];
  const [least = 0, ...others] = values.sort((a, b) => a - b);
  // Of 16, 32, 64, 128, 256 the small ones stand close to each other.
  for (const value of [others.pop() as number, least, ...others.reverse()]) {
    const position = positionOf(dimension, value) as number;
    if (found.every((each) => Math.abs(each.position - position) >= gap))
      found.push({ position, text: formatNumber(value) });
  }
  return found.length >= Math.min(3, values.length) ? found.sort((a, b) => a.position - b.position) : undefined;
}

export function textOfValue(value: number | string | undefined): string {
  return typeof value === "number" ? formatNumber(value) : (value ?? "–");
}

/** Part of an axis, from 0 to 1. */
export type Brush = readonly [from: number, to: number];

/** Brushes by the names of their axes, as a text for the URL. */
export function brushText(brushes: ReadonlyMap<string, Brush>): string {
  return [...brushes]
    .map(([name, brush]) => [encodeURIComponent(name), ...brush.map((each) => each.toFixed(3))].join(":"))
    .join(" ");
}

export function brushesOf(text: string): ReadonlyMap<string, Brush> {
  const brushes = new Map<string, Brush>();
  for (const each of text.split(" ").filter(Boolean)) {
    const [name = "", from, to] = each.split(":");
    const brush = [Number(from), Number(to)] as const;
    if (brush[0] < brush[1]) brushes.set(decoded(name), brush);
  }
  return brushes;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether each iteration is inside of all brushes. */
export function insideOf(
  dimensions: readonly Dimension[],
  brushes: ReadonlyMap<string, Brush>,
  count: number,
): boolean[] {
  const brushed = dimensions.filter((each) => brushes.has(each.name));
  return Array.from({ length: count }, (_, at) =>
    brushed.every((each) => {
      const position = positionOf(each, each.values[at]);
      const [from, to] = brushes.get(each.name) as Brush;
      return position !== undefined && position >= from && position <= to;
    }),
  );
}
