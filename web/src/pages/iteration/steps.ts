/** Files that show one thing at several steps: `media/KEY/STEP…`. */
import { kindOf } from "./kind.ts";

export interface Named {
  id: string;
  name: string;
  content_type?: string;
}

export interface Step<T extends Named> {
  step: number;
  file: T;
}

/** The key and the step of a name, and its index where a step has several; undefined for other names. */
export function stepOf(name: string): { key: string; step: number; index: number } | undefined {
  const found = /^media\/(.+)\/(\d{1,15})(?:-(\d{1,6}))?(?:[^/\d][^/]*)?$/.exec(name);
  return found ? { key: found[1] ?? "", step: Number(found[2]), index: Number(found[3] ?? 0) } : undefined;
}

/** All files of the key, the kind and the index of this one by step; undefined if there is no other. */
export function seriesOf<T extends Named>(chosen: T, files: readonly T[]): Step<T>[] | undefined {
  const [own, kind] = [stepOf(chosen.name), kindOf(chosen)];
  if (!own || kind === "none") return undefined;
  const series = files.flatMap((file) => {
    const found = stepOf(file.name);
    const isOne = found?.key === own.key && found.index === own.index && kindOf(file) === kind;
    return isOne ? [{ step: found.step, file }] : [];
  });
  return series.length > 1 ? series.toSorted((a, b) => a.step - b.step) : undefined;
}

/** More images at once make a page slow. */
export const MOST_BESIDE = 12;

/** The images that were logged together with this one, in their order; this file alone if it is no such image. */
export function besides<T extends Named>(chosen: T, files: readonly T[]): T[] {
  const own = stepOf(chosen.name);
  if (!own || kindOf(chosen) !== "image") return [chosen];
  const found = files.flatMap((file) => {
    const other = stepOf(file.name);
    const isOne = other?.key === own.key && other.step === own.step && kindOf(file) === "image";
    return isOne ? [{ index: other.index, file }] : [];
  });
  const shown = found.toSorted((a, b) => a.index - b.index).slice(0, MOST_BESIDE);
  return shown.some(({ file }) => file.id === chosen.id) ? shown.map(({ file }) => file) : [chosen];
}
