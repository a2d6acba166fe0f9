/** Files that show one thing at several steps: `media/KEY/STEP…`. */
import { kindOf } from "./kind.ts";

interface Named {
  id: string;
  name: string;
  content_type?: string;
}

export interface Step<T extends Named> {
  step: number;
  file: T;
}

/** The key and the step of a name; undefined for other names. */
export function stepOf(name: string): { key: string; step: number } | undefined {
  const found = /^media\/(.+)\/(\d{1,15})(?:[^/\d][^/]*)?$/.exec(name);
  return found ? { key: found[1] ?? "", step: Number(found[2]) } : undefined;
}

/** All images of the key of this one by step; undefined if there is no other. */
export function seriesOf<T extends Named>(chosen: T, files: readonly T[]): Step<T>[] | undefined {
  const key = stepOf(chosen.name)?.key;
  if (key === undefined || kindOf(chosen) !== "image") return undefined;
  const series = files.flatMap((file) => {
    const found = stepOf(file.name);
    return found?.key === key && kindOf(file) === "image" ? [{ step: found.step, file }] : [];
  });
  return series.length > 1 ? series.toSorted((a, b) => a.step - b.step) : undefined;
}
