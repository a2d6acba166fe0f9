/** What a program has logged by step, by its key: `media/KEY/STEP…`. */
import { kindOf } from "./kind.ts";
import { MOST_BESIDE, type Named, type Step, stepOf } from "./steps.ts";

export interface Media<T extends Named> {
  key: string;
  /** By step. A step has one file, or several images in their order. */
  steps: readonly { step: number; files: readonly T[] }[];
}

/** By key. Files of other kinds below one key, such as an image and a text, are media of their own. */
export function mediaOf<T extends Named>(files: readonly T[]): Media<T>[] {
  const found = new Map<string, Map<number, { index: number; file: T }[]>>();
  for (const file of files) {
    const [own, kind] = [stepOf(file.name), kindOf(file)];
    if (!own || kind === "none") continue;
    const name = JSON.stringify([own.key, kind]);
    const steps = found.get(name) ?? new Map();
    found.set(name, steps.set(own.step, [...(steps.get(own.step) ?? []), { index: own.index, file }]));
  }
  return [...found].map(([name, steps]) => ({
    key: (JSON.parse(name) as [string, string])[0],
    steps: [...steps].sort(([a], [b]) => a - b).map(([step, given]) => ({ step, files: inOrder(given) })),
  }));
}

function inOrder<T>(given: { index: number; file: T }[]): T[] {
  return given
    .toSorted((a, b) => a.index - b.index)
    .slice(0, MOST_BESIDE)
    .map(({ file }) => file);
}

/** All steps at which something was logged. */
export function stepsOf(media: readonly Media<Named>[]): number[] {
  return [...new Set(media.flatMap(({ steps }) => steps.map((each) => each.step)))].sort((a, b) => a - b);
}

/** The last that was logged at this step or before it. */
export function atStep<T extends Named>({ steps }: Media<T>, step: number): Media<T>["steps"][number] | undefined {
  return steps.findLast((each) => each.step <= step);
}

/** Its first file of each step. */
export function seriesOfMedia<T extends Named>({ steps }: Media<T>): Step<T>[] {
  return steps.flatMap(({ step, files: [file] }) => (file ? [{ step, file }] : []));
}
