/** Colours for values of a dimension. */
import { type Dimension, positionOf } from "./dimension.ts";
import { colourName } from "./slots.ts";

/** From the first colour to the second for numbers; a colour of its own for a category; grey without a value. */
export function shadeOf(dimension: Dimension | undefined, at: number): string {
  if (!dimension) return `var(${colourName(0)})`;
  const value = dimension.values[at];
  const position = positionOf(dimension, value);
  if (position === undefined) return "var(--muted)";
  if (dimension.scale === "category") return `var(${colourName(dimension.categories.indexOf(String(value)))})`;
  return `color-mix(in oklab, var(--shade-high) ${Math.round(100 * position)}%, var(--shade-low))`;
}
