/** The values of a chart at the cursor, and as a table. */
import { formatNumber } from "../components/format.ts";
import type { Drawn, DrawnLine } from "./drawn.ts";
import { nearest, valueAt } from "./find.ts";
import { hovered, lit } from "./hover.ts";
import { type Looks, lookOf, xScaleOf, xTitleOf } from "./look.ts";
import { Swatch } from "./swatch.tsx";
import { formatX } from "./ticks.ts";

const MOST = 12;

interface Props {
  metric: string;
  drawn: Drawn;
  looks: Looks;
}

interface ListProps extends Omit<Props, "metric"> {
  chart: string;
  leftOf: (x: number) => number;
}

/** In the chart that the pointer is in all values, highest first; in the others the value of the lit curve. */
export function ValueList({ chart, drawn, looks, leftOf }: ListProps) {
  const at = hovered.value;
  if (!at) return null;
  const index = nearest(drawn.x, at.x);
  const isHere = at.chart === chart;
  const found = valuesAt(drawn, index).filter(({ line }) => isHere || line.id === lit.value);
  if (!found.length) return null;
  const shown = around(found, lit.value);
  const left = leftOf(drawn.x[index] as number);
  const { nameOf, dashOf, cssColourOf } = lookOf(looks);
  return (
    <div class={`values ${isHere ? "" : "is-small"}`} style={isHere ? sideOf(left) : {}} aria-hidden="true">
      {isHere ? (
        <p class="values-x">{`${xTitleOf(looks.settings.x)} ${formatX(drawn.x[index] as number, xScaleOf(looks.settings))}`}</p>
      ) : null}
      <ul>
        {shown.map(({ line, value }) => (
          <li key={line.id} class={line.id === lit.value ? "is-lit" : ""}>
            <Swatch colour={cssColourOf(line.id)} dash={dashOf(line.id)} />
            <span class="values-name">{nameOf(line.id)}</span>
            <span>{textOf(value)}</span>
          </li>
        ))}
      </ul>
      {found.length > shown.length ? <p class="values-x">{found.length - shown.length} more</p> : null}
    </div>
  );
}

interface Found {
  line: DrawnLine;
  value: number | null;
}

function valuesAt(drawn: Drawn, index: number): Found[] {
  return drawn.lines
    .flatMap((line) => {
      const value = valueAt(line.main, index);
      return value === undefined ? [] : { line, value };
    })
    .sort((a, b) => (b.value ?? Number.NEGATIVE_INFINITY) - (a.value ?? Number.NEGATIVE_INFINITY));
}

/** As many as fit: those around the lit one. */
function around(found: Found[], id: string | undefined): Found[] {
  const middle = Math.max(
    0,
    found.findIndex((each) => each.line.id === id),
  );
  const from = Math.max(0, Math.min(found.length - MOST, middle - MOST / 2));
  return found.slice(from, from + MOST);
}

/** Beside the cursor, on the side with more room. */
function sideOf(left: number): { left?: string; right?: string } {
  return left < 240 ? { left: `${left + 14}px` } : { right: `calc(100% - ${left - 14}px)` };
}

function textOf(value: number | null | undefined): string {
  return typeof value === "number" ? formatNumber(value) : value === null ? "not finite" : "";
}

/** The values at the cursor for a screen reader: of the lit curve, or of the first few. */
export function valuesText(drawn: Drawn, looks: Looks, index: number, id: string | undefined): string {
  const { nameOf } = lookOf(looks);
  const found = valuesAt(drawn, index).filter(({ line }) => id === undefined || line.id === id);
  const x = `${xTitleOf(looks.settings.x)} ${formatX(drawn.x[index] as number, xScaleOf(looks.settings))}`;
  const texts = found.slice(0, 5).map(({ line, value }) => `${nameOf(line.id)} ${textOf(value)}`);
  return `${x}: ${texts.join(", ") || "no value"}`;
}

const ROWS = 25;

/** At most 25 x, evenly from the first to the last. */
export function ValueTable({ metric, drawn, looks }: Props) {
  const { nameOf } = lookOf(looks);
  const count = Math.min(ROWS, drawn.x.length);
  const places = Array.from({ length: count }, (_, at) =>
    Math.round((at * (drawn.x.length - 1)) / Math.max(1, count - 1)),
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
    <section class="chart-plot chart-table" tabIndex={0} aria-label={`Values of ${metric}`}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col" class="number">
              {xTitleOf(looks.settings.x)}
            </th>
            {drawn.lines.map((line) => (
              <th scope="col" class="number" key={line.id}>
                {nameOf(line.id)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {places.map((at) => (
            <tr key={at}>
              <th scope="row" class="number">
                {formatX(drawn.x[at] as number, xScaleOf(looks.settings))}
              </th>
              {drawn.lines.map((line) => (
                <td class="number" key={line.id}>
                  {textOf(valueAt(line.main, at))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
