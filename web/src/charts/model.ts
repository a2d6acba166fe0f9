/** The data of a line chart: curves on one shared grid of x. */

/** A value for each x: undefined where a curve has no point, null where it has none that is finite. */
export type Values = (number | null | undefined)[];

/** A point that is not finite. */
export interface Mark {
  x: number;
  kind: "NaN" | "Infinity" | "-Infinity";
}

export interface Line {
  id: string;
  last: Values;
  min: Values;
  max: Values;
  marks: Mark[];
}

export interface Curves {
  x: number[];
  lines: Line[];
  /** True if some bucket holds more than one point: then `min` and `max` say more than `last`. */
  bucketed: boolean;
  /** How many points are in the lines. */
  shown: number;
}

/** What the charts know of an iteration. */
export interface Row {
  id: string;
  experiment_id: string;
  name: string;
  running: boolean;
  created_date: string;
  /** The summary of each metric. */
  metrics: Readonly<Record<string, Summary>>;
}

export interface Summary {
  last: number | "NaN" | "Infinity" | "-Infinity";
  count: number;
  last_step: number;
}
