/** How the charts are drawn, as the URL says it: `chart-x=time&chart-smooth=ema:0.6`. */
import { METHODS, type Method, type Smoothing } from "./smooth.ts";

export interface Settings {
  /** "step", "relative", "time", or "metric:KEY". */
  x: string;
  logX: boolean;
  logY: boolean;
  smoothing: Smoothing;
  /** The range of min and max around a curve. */
  band: boolean;
  /** False: the y axis leaves out the highest and lowest hundredth of the values. */
  outliers: boolean;
  /** A parameter whose values group the iterations: one mean and deviation for each; "" for no groups. */
  group: string;
  /** The shown part of x. */
  zoom: Zoom | undefined;
}

export type Zoom = readonly [from: number, to: number];
type Query = Readonly<Record<string, string | undefined>>;

export const AMOUNTS: Record<Method, { initial: number; min: number; max: number; step: number }> = {
  none: { initial: 0, min: 0, max: 0, step: 1 },
  ema: { initial: 0.6, min: 0, max: 0.99, step: 0.01 },
  mean: { initial: 11, min: 1, max: 101, step: 2 },
  gaussian: { initial: 3, min: 0.5, max: 30, step: 0.5 },
};

export function settingsOf(query: Query): Settings {
  const log = query["chart-log"] ?? "";
  return {
    x: xOf(query["chart-x"]),
    logX: log.includes("x"),
    logY: log.includes("y"),
    smoothing: smoothingOf(query["chart-smooth"] ?? ""),
    band: query["chart-band"] !== "off",
    outliers: query["chart-outliers"] !== "off",
    group: query["chart-group"] ?? "",
    zoom: zoomOf(query["chart-zoom"] ?? ""),
  };
}

/** The names in the URL of these settings; what is as usual is left out. */
export function queryOf(changes: Partial<Settings>): Record<string, string | undefined> {
  const query: Record<string, string | undefined> = {};
  if (changes.x !== undefined) query["chart-x"] = changes.x === "step" ? undefined : changes.x;
  if (changes.smoothing) {
    const { method, amount } = changes.smoothing;
    query["chart-smooth"] = method === "none" ? undefined : `${method}:${amount}`;
  }
  if (changes.band !== undefined) query["chart-band"] = changes.band ? undefined : "off";
  if (changes.outliers !== undefined) query["chart-outliers"] = changes.outliers ? undefined : "off";
  if (changes.group !== undefined) query["chart-group"] = changes.group || undefined;
  if ("zoom" in changes) query["chart-zoom"] = changes.zoom?.join("~");
  return query;
}

export function logQuery(logX: boolean, logY: boolean): Record<string, string | undefined> {
  return { "chart-log": `${logX ? "x" : ""}${logY ? "y" : ""}` || undefined };
}

function xOf(text: string | undefined): string {
  return text && (["relative", "time"].includes(text) || text.startsWith("metric:")) ? text : "step";
}

function smoothingOf(text: string): Smoothing {
  const [name, given] = text.split(":");
  const method = METHODS.find((each) => each === name) ?? "none";
  const { initial, min, max } = AMOUNTS[method];
  const amount = given ? Number(given) : Number.NaN;
  return { method, amount: Number.isFinite(amount) ? Math.min(max, Math.max(min, amount)) : initial };
}

function zoomOf(text: string): Zoom | undefined {
  const [from, to] = text.split("~").map(Number.parseFloat);
  return from !== undefined && to !== undefined && from < to ? [from, to] : undefined;
}
