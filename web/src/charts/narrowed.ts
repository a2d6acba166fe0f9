/** Iterations with their values, and the part of them that is selected. */
import { type Dimension, dimensionOf } from "./dimension.ts";

export interface Sweep {
  ids: readonly string[];
  names: readonly string[];
  /** By name: "parameters.lr", "metrics.loss". */
  dimensions: ReadonlyMap<string, Dimension>;
}

/** The part of these iterations; the whole where none is named. */
export function narrowed(sweep: Sweep, ids: readonly string[]): Sweep {
  const wanted = new Set(ids);
  if (!wanted.size || sweep.ids.every((id) => wanted.has(id))) return sweep;
  const places = [...sweep.ids.keys()].filter((at) => wanted.has(sweep.ids[at] ?? ""));
  const part = <T>(list: readonly T[]) => places.map((at) => list[at] as T);
  const dimensions = [...sweep.dimensions].map(([name, each]) => [name, dimensionOf(name, part(each.values))] as const);
  return { ids: part(sweep.ids), names: part(sweep.names), dimensions: new Map(dimensions) };
}
