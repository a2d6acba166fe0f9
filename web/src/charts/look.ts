/** How iterations, or groups of them, look in all charts of a page. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Row } from "./model.ts";
import { resolveColour } from "./palette.ts";
import type { Settings } from "./settings.ts";
import { colourName, dashOf } from "./slots.ts";
import type { Scale } from "./ticks.ts";

export interface Looks {
  rows: readonly Row[];
  settings: Settings;
  /** The slot of a line: of an iteration, or of a group. */
  slots: ReadonlyMap<string, number>;
  names: ReadonlyMap<string, string>;
  /** The group of an iteration; undefined without groups. */
  groupOf: ((id: string) => string) | undefined;
}

export const LooksContext = createContext<Looks | undefined>(undefined);

export function useLooks(): Looks {
  const looks = useContext(LooksContext);
  if (!looks) throw new Error("a chart stands outside of Charts");
  return looks;
}

export function lookOf(looks: Looks) {
  const slotOf = (id: string) => looks.slots.get(id) ?? 0;
  return {
    colourOf: (id: string) => resolveColour(colourName(slotOf(id))),
    cssColourOf: (id: string) => `var(${colourName(slotOf(id))})`,
    dashOf: (id: string) => dashOf(slotOf(id)),
    nameOf: (id: string) => looks.names.get(id) ?? id,
  };
}

export function xScaleOf({ x, logX }: Settings): Scale {
  if (x === "time") return "time";
  if (logX) return "log";
  if (x === "step") return "step";
  return x === "relative" ? "duration" : "number";
}

export function xTitleOf(x: string): string {
  if (x === "relative") return "time since the start";
  if (x === "time") return "time";
  return x.startsWith("metric:") ? x.slice("metric:".length) : "step";
}
