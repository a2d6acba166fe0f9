/** An axis of parallel coordinates, with its brush: drag to choose a part, click to remove it, or use the arrow keys. */
import { useRef, useState } from "preact/hooks";
import { type Brush, type Dimension, textOfValue, ticksOfDimension, titleOf, valueAtPosition } from "./dimension.ts";
import { BOTTOM, HEIGHT, middleCut, short, TOP, topOf } from "./relation-parts.ts";

interface Props {
  dimension: Dimension;
  left: number;
  isLast: boolean;
  brush: Brush | undefined;
  onBrush: (brush: Brush | undefined) => void;
}

const REACH = 14;
const LEAST = 0.02;
const MARGIN = 0.02;

export function AxisBrush({ dimension, left, isLast, brush, onBrush }: Props) {
  const begun = useRef<number | undefined>(undefined);
  const [draft, setDraft] = useState<Brush | undefined>();
  const shown = draft ?? brush;
  const positionAt = (event: PointerEvent) => {
    const { top } = (event.currentTarget as SVGElement).getBoundingClientRect();
    return 1 - (event.clientY - top) / (HEIGHT - TOP - BOTTOM);
  };
  const down = (event: PointerEvent) => {
    (event.currentTarget as SVGElement).setPointerCapture(event.pointerId);
    begun.current = positionAt(event);
  };
  const move = (event: PointerEvent) => {
    if (begun.current !== undefined) setDraft(ordered(begun.current, positionAt(event)));
  };
  const up = () => {
    if (begun.current !== undefined) onBrush(draft && draft[1] - draft[0] >= LEAST ? draft : undefined);
    begun.current = undefined;
    setDraft(undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const changed = brushByKey(event.key, event.shiftKey, brush);
    if (changed === "same") return;
    event.preventDefault();
    onBrush(changed);
  };
  return (
    <g class="parallel-axis" transform={`translate(${left} 0)`}>
      <text class="axis-title" x={0} y={16} text-anchor="middle">
        {titleOf({ ...dimension, label: short(dimension.label, dimension.scale === "log" ? 9 : 14) })}
        <title>{titleOf(dimension)}</title>
      </text>
      <path d={`M0 ${TOP}V${HEIGHT - BOTTOM}`} />
      {ticksOfDimension(dimension, 5).map(({ position, text }) => (
        <text key={text} x={isLast ? 8 : -8} y={topOf(position) + 4} text-anchor={isLast ? "start" : "end"}>
          {middleCut(text, 8)}
        </text>
      ))}
      {shown ? (
        <rect class="brush" x={-7} width={14} y={topOf(shown[1])} height={topOf(shown[0]) - topOf(shown[1])} />
      ) : null}
      <rect
        class="brush-area"
        x={-REACH}
        width={2 * REACH}
        y={TOP}
        height={HEIGHT - TOP - BOTTOM}
        role="slider"
        tabindex={0}
        aria-orientation="vertical"
        aria-label={`Brush of ${dimension.label}; up and down move it, with Shift they change its upper end, Escape removes it`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * ((shown?.[0] ?? 0) + (shown?.[1] ?? 1)) * 0.5)}
        aria-valuetext={shown ? rangeText(dimension, shown) : "all"}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={up}
        onKeyDown={onKeyDown}
      />
    </g>
  );
}

function ordered(a: number, b: number): Brush {
  // Values at the very ends are easy to reach.
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  return [low < MARGIN ? -MARGIN : low, high > 1 - MARGIN ? 1 + MARGIN : high];
}

const STEP = 0.05;

function brushByKey(key: string, isShift: boolean, brush: Brush = [-MARGIN, 1 + MARGIN]): Brush | undefined | "same" {
  if (key === "Escape") return undefined;
  const step = { ArrowUp: STEP, ArrowDown: -STEP }[key];
  if (!step) return "same";
  const [from, to] = [
    isShift ? brush[0] : brush[0] + step,
    isShift || step < 0 ? brush[1] + step : Math.min(1 + MARGIN, brush[1] + step),
  ];
  return from < to ? [Math.max(-MARGIN, from), to] : brush;
}

function rangeText(dimension: Dimension, [from, to]: Brush): string {
  if (dimension.scale === "category") {
    const last = dimension.categories.length - 1;
    const inside = dimension.categories.filter(
      (_, at) => at / Math.max(1, last) >= from && at / Math.max(1, last) <= to,
    );
    return inside.join(", ") || "nothing";
  }
  const ends = [from, to].map((each) => textOfValue(valueAtPosition(dimension, Math.min(1, Math.max(0, each)))));
  return ends.join(" to ");
}
