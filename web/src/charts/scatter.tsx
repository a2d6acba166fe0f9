/** Iterations as points: any parameter or metric on either axis and as colour. */
import { useRef, useState } from "preact/hooks";
import { go } from "../state/route.ts";
import { type Dimension, positionOf, ticksOfDimension, titleOf } from "./dimension.ts";
import { light, lit } from "./hover.ts";
import type { Sweep } from "./narrowed.ts";
import { countText, middleCut, textAt } from "./relation-parts.ts";
import { shadeOf } from "./shade.ts";
import { ShadeKey } from "./shade-key.tsx";
import { useWidth } from "./size.ts";

interface Props {
  sweep: Sweep;
  x: Dimension;
  y: Dimension;
  colour: Dimension | undefined;
}

const HEIGHT = 420;
const EDGE = { left: 64, right: 18, top: 30, bottom: 44 };
const NEAR = 20;

interface Spot {
  at: number;
  left: number;
  top: number;
}

export function Scatter({ sweep, x, y, colour }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [said, setSaid] = useState("");
  const spots = spotsOf(sweep, x, y, width);
  const shown = spots.find((each) => sweep.ids[each.at] === lit.value);
  const move = (event: PointerEvent) => {
    const { left, top } = (event.currentTarget as Element).getBoundingClientRect();
    const near = nearestSpot(spots, event.clientX - left, event.clientY - top);
    light(near && sweep.ids[near.at]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Enter" && shown) go(`/iterations/${sweep.ids[shown.at]}`);
    if (!step || !spots.length) return;
    event.preventDefault();
    const now = shown ? spots.indexOf(shown) : step > 0 ? -1 : 0;
    const next = spots[(now + step + spots.length) % spots.length] as Spot;
    light(sweep.ids[next.at]);
    setSaid(`${sweep.names[next.at]}: ${textAt([x, y, colour], next.at)}`);
  };
  return (
    <figure class="relation">
      <figcaption>
        {countText(spots.length, sweep.ids.length)}
        <ShadeKey dimension={colour} />
      </figcaption>
      {/* biome-ignore lint/a11y/useSemanticElements: it is drawn; the arrow keys go from point to point */}
      <div
        ref={box}
        class="relation-box"
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: as above
        tabIndex={0}
        aria-label={`${y.label} over ${x.label}, ${spots.length} iterations; left and right go through them, Enter opens one`}
        onKeyDown={onKeyDown}
        onPointerMove={move}
        onPointerLeave={() => light(undefined)}
        onClick={() => shown && go(`/iterations/${sweep.ids[shown.at]}`)}
      >
        <svg width={width} height={HEIGHT} aria-hidden="true">
          <Axes x={x} y={y} width={width} />
          {spots.map(({ at, left, top }) => (
            <circle key={sweep.ids[at]} cx={left} cy={top} r={4.5} style={{ fill: shadeOf(colour, at) }} />
          ))}
          {shown ? <circle class="ring" cx={shown.left} cy={shown.top} r={8} /> : null}
        </svg>
        {shown ? (
          <div class="values" style={besides(shown, width)}>
            <p class="values-name">{sweep.names[shown.at]}</p>
            <p class="values-x">{textAt([x, y, colour], shown.at)}</p>
          </div>
        ) : null}
      </div>
      <span class="visually-hidden" aria-live="polite">
        {said}
      </span>
    </figure>
  );
}

function spotsOf(sweep: Sweep, x: Dimension, y: Dimension, width: number): Spot[] {
  const spots = sweep.ids.flatMap((_, at): Spot[] => {
    const [across, up] = [positionOf(x, x.values[at]), positionOf(y, y.values[at])];
    return across === undefined || up === undefined ? [] : [{ at, left: leftOf(across, width), top: topOf(up) }];
  });
  return spots.sort((a, b) => a.left - b.left);
}

const leftOf = (position: number, width: number) =>
  EDGE.left + 8 + position * Math.max(0, width - EDGE.left - EDGE.right - 16);
const topOf = (position: number) => HEIGHT - EDGE.bottom - 8 - position * (HEIGHT - EDGE.top - EDGE.bottom - 16);

function nearestSpot(spots: readonly Spot[], left: number, top: number): Spot | undefined {
  let [best, least]: [Spot | undefined, number] = [undefined, NEAR];
  for (const each of spots) {
    const far = Math.hypot(each.left - left, each.top - top);
    if (far < least) [best, least] = [each, far];
  }
  return best;
}

function besides({ left, top }: Spot, width: number) {
  const side = left < width / 2 ? { left: `${left + 14}px` } : { right: `${width - left + 14}px` };
  return { ...side, top: `${Math.max(0, top - 20)}px` };
}

function Axes({ x, y, width }: { x: Dimension; y: Dimension; width: number }) {
  return (
    <g class="axes">
      {ticksOfDimension(y, 6).map(({ position, text }) => (
        <g key={text}>
          <path d={`M${EDGE.left} ${topOf(position)}H${width - EDGE.right}`} />
          <text x={EDGE.left - 8} y={topOf(position) + 4} text-anchor="end">
            {middleCut(text, 9)}
          </text>
        </g>
      ))}
      {ticksOfDimension(x, Math.max(2, Math.floor(width / 110))).map(({ position, text }) => (
        <g key={text}>
          <path d={`M${leftOf(position, width)} ${EDGE.top}V${HEIGHT - EDGE.bottom}`} />
          <text x={leftOf(position, width)} y={HEIGHT - EDGE.bottom + 18} text-anchor="middle">
            {middleCut(text, 14)}
          </text>
        </g>
      ))}
      <text class="axis-title" x={8} y={16}>
        {titleOf(y)}
      </text>
      <text class="axis-title" x={width - EDGE.right} y={HEIGHT - 6} text-anchor="end">
        {titleOf(x)}
      </text>
    </g>
  );
}
