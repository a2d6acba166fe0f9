import { type Dimension, textOfValue } from "./dimension.ts";
import { shadeOf } from "./shade.ts";

const MOST = 8;

/** What the colours mean. */
export function ShadeKey({ dimension }: { dimension: Dimension | undefined }) {
  if (!dimension) return null;
  if (dimension.scale !== "category") {
    return (
      <p class="shade-key">
        {dimension.label} {textOfValue(dimension.range[0])} <span class="shade-bar" /> {textOfValue(dimension.range[1])}
      </p>
    );
  }
  return (
    <p class="shade-key">
      {dimension.label}
      {dimension.categories.slice(0, MOST).map((each) => (
        <span key={each}>
          <span class="shade-dot" style={{ background: shadeOf(dimension, dimension.values.indexOf(each)) }} /> {each}
        </span>
      ))}
    </p>
  );
}
