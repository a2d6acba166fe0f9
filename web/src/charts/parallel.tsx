/** Iterations as lines over parallel axes. A brush on an axis chooses those that pass it. */
import { useRef, useState } from "preact/hooks";
import { Button, Link } from "../components/basics.tsx";
import { location, setQuery } from "../state/route.ts";
import { AxisBrush } from "./axis-brush.tsx";
import { type Brush, brushesOf, brushText, type Dimension, insideOf, positionOf } from "./dimension.ts";
import { light, lit } from "./hover.ts";
import type { Sweep } from "./narrowed.ts";
import { HEIGHT, textAt, topOf } from "./relation-parts.ts";
import { shadeOf } from "./shade.ts";
import { ShadeKey } from "./shade-key.tsx";
import { useWidth } from "./size.ts";

interface Props {
  sweep: Sweep;
  dimensions: readonly Dimension[];
  colour: Dimension | undefined;
}

const SIDE = 56;
const LEAST = 96;
const LISTED = 50;

export function Parallel({ sweep, dimensions, colour }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(useWidth(box), LEAST * dimensions.length);
  const brushes = brushesOf(location.value.query["chart-brushes"] ?? "");
  const inside = insideOf(dimensions, brushes, sweep.ids.length);
  const chosen = [...sweep.ids.keys()].filter((at) => inside[at]);
  const leftOf = (index: number) => SIDE + (index * (width - 2 * SIDE)) / Math.max(1, dimensions.length - 1);
  const onBrush = (name: string, brush: Brush | undefined) => {
    const changed = new Map(brushes);
    if (brush) changed.set(name, brush);
    else changed.delete(name);
    setQuery({ "chart-brushes": brushText(changed) });
  };
  const lines = sweep.ids
    .map((id, at) => ({ id, at, path: pathOf(dimensions, at, leftOf) }))
    .filter((each) => each.path);
  return (
    <figure class="relation">
      <figcaption>
        <span aria-live="polite">{`${chosen.length} of ${sweep.ids.length} iterations`}</span>
        {brushes.size ? (
          <Button onClick={() => setQuery({ "chart-brushes": undefined })}>Remove the brushes</Button>
        ) : null}
        <ShadeKey dimension={colour} />
      </figcaption>
      <div ref={box} class="relation-box is-wide">
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be drawn in */}
        <svg width={width} height={HEIGHT} role="group" aria-label="Parallel coordinates">
          <g class="parallel-lines">
            {lines
              .toSorted((a, b) => Number(inside[a.at]) - Number(inside[b.at]))
              .map(({ id, at, path }) => (
                <path
                  key={id}
                  d={path}
                  class={`${inside[at] ? "" : "is-outside"} ${lit.value === id ? "is-lit" : ""}`}
                  style={{ stroke: shadeOf(colour, at) }}
                  onPointerEnter={() => light(id)}
                  onPointerLeave={() => light(undefined)}
                />
              ))}
          </g>
          {dimensions.map((each, index) => (
            <AxisBrush
              key={each.name}
              dimension={each}
              left={leftOf(index)}
              isLast={index === dimensions.length - 1}
              brush={brushes.get(each.name)}
              onBrush={(brush) => onBrush(each.name, brush)}
            />
          ))}
        </svg>
      </div>
      <Chosen sweep={sweep} chosen={chosen} dimensions={dimensions} />
    </figure>
  );
}

/** Straight between neighbouring axes; nothing where a value is missing. */
function pathOf(dimensions: readonly Dimension[], at: number, leftOf: (index: number) => number): string {
  let [path, open] = ["", false];
  for (const [index, each] of dimensions.entries()) {
    const position = positionOf(each, each.values[at]);
    if (position !== undefined) path += `${open ? "L" : "M"}${leftOf(index).toFixed(1)} ${topOf(position).toFixed(1)}`;
    open = position !== undefined;
  }
  return path;
}

function Chosen({
  sweep,
  chosen,
  dimensions,
}: {
  sweep: Sweep;
  chosen: readonly number[];
  dimensions: readonly Dimension[];
}) {
  const [isAll, setAll] = useState(false);
  const listed = isAll ? chosen : chosen.slice(0, LISTED);
  return (
    <details class="relation-list">
      <summary>The chosen iterations</summary>
      <ul>
        {listed.map((at) => (
          <li
            key={sweep.ids[at]}
            class={lit.value === sweep.ids[at] ? "is-lit" : ""}
            onPointerEnter={() => light(sweep.ids[at])}
            onPointerLeave={() => light(undefined)}
          >
            <Link to={`/iterations/${sweep.ids[at]}`}>{sweep.names[at]}</Link>{" "}
            <span class="note">{textAt(dimensions, at)}</span>
          </li>
        ))}
      </ul>
      {listed.length < chosen.length ? <Button onClick={() => setAll(true)}>Show all {chosen.length}</Button> : null}
    </details>
  );
}
