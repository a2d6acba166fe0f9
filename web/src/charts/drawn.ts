/** From curves to what is drawn: smoothed, without what the axes cannot show, and with the range of y. */
import type { Curves, Line, Mark, Values } from "./model.ts";
import type { Settings } from "./settings.ts";
import { smooth } from "./smooth.ts";

export interface Drawn {
  x: number[];
  lines: DrawnLine[];
  y: readonly [number, number];
  /** How many values a logarithmic axis cannot show. */
  hidden: number;
}

export interface DrawnLine {
  id: string;
  /** The smoothed values. */
  main: Values;
  /** The values behind a smoothed curve. */
  raw: Values | undefined;
  band: { min: Values; max: Values } | undefined;
  marks: Mark[];
}

type Look = Pick<Settings, "logX" | "logY" | "smoothing" | "band" | "outliers">;

/** `spread`: the lines have a deviation as their band, whatever the curves are. */
export function draw(curves: Curves, look: Look, spread = false): Drawn {
  const shown = look.logX ? onlyPositiveX(curves) : curves;
  const count = { hidden: curves.x.length - shown.x.length };
  const visible = (values: Values) => (look.logY ? onlyPositive(values, count) : values);
  const isSmooth = look.smoothing.method !== "none";
  const lines = shown.lines.map((line): DrawnLine => {
    const raw = visible(line.last);
    const hasBand = look.band && (spread || (shown.bucketed && !isSmooth));
    return {
      id: line.id,
      main: isSmooth ? smooth(raw, look.smoothing) : raw,
      raw: isSmooth ? raw : undefined,
      band: hasBand ? { min: positiveOr(line.min, raw, look.logY), max: line.max } : undefined,
      marks: line.marks,
    };
  });
  return { x: shown.x, lines, y: rangeOf(lines, look), hidden: count.hidden };
}

function onlyPositiveX(curves: Curves): Curves {
  const first = curves.x.findIndex((x) => x > 0);
  const from = first < 0 ? curves.x.length : first;
  const cut = (line: Line): Line => ({
    ...line,
    last: line.last.slice(from),
    min: line.min.slice(from),
    max: line.max.slice(from),
    marks: line.marks.filter((each) => each.x > 0),
  });
  return { ...curves, x: curves.x.slice(from), lines: curves.lines.map(cut) };
}

function onlyPositive(values: Values, count: { hidden: number }): Values {
  return values.map((value) => {
    if (typeof value !== "number" || value > 0) return value;
    count.hidden += 1;
    return null;
  });
}

function positiveOr(values: Values, others: Values, logY: boolean): Values {
  return logY ? values.map((value, at) => (typeof value === "number" && value <= 0 ? others[at] : value)) : values;
}

const PADDING = 0.05;
const QUANTILE = 0.01;

/** The range of y with some room. Without outliers the extreme hundredths do not count. */
export function rangeOf(lines: readonly DrawnLine[], { logY, outliers }: Look): readonly [number, number] {
  const values: number[] = [];
  for (const { main, raw, band } of lines) {
    for (const each of [main, raw, band?.min, band?.max]) {
      for (const value of each ?? []) if (typeof value === "number" && (!logY || value > 0)) values.push(value);
    }
  }
  if (!values.length) return logY ? [1, 10] : [0, 1];
  const [low, high] = outliers ? extremes(values) : quantiles(values);
  return logY
    ? (padded(Math.log10(low), Math.log10(high), 0.3).map((each) => 10 ** each) as [number, number])
    : padded(low, high, Math.abs(low) / 10 || 1);
}

function padded(low: number, high: number, alone: number): [number, number] {
  const room = high > low ? (high - low) * PADDING : alone;
  return [low - room, high + room];
}

function extremes(values: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function quantiles(values: number[]): [number, number] {
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.round(share * (values.length - 1))] as number;
  return [at(QUANTILE), at(1 - QUANTILE)];
}
