/** A line chart as an SVG document: what is saved to a file, with its title and a legend. */
import type { Drawn, DrawnLine } from "./drawn.ts";
import type { Values } from "./model.ts";
import { formatTick, type Scale, ticksOf } from "./ticks.ts";

export interface Look {
  title: string;
  xTitle: string;
  xScale: Scale;
  logY: boolean;
  xRange: readonly [number, number];
  colours: { text: string; line: string; surface: string };
  colourOf: (id: string) => string;
  dashOf: (id: string) => readonly number[];
  nameOf: (id: string) => string;
}

const WIDTH = 900;
const HEIGHT = 420;
const EDGE = { left: 70, right: 20, top: 44, bottom: 46 };
const ROW = 18;
const COLUMNS = 3;

export function svgOf(drawn: Drawn, look: Look): string {
  const rows = Math.ceil(drawn.lines.length / COLUMNS);
  const height = HEIGHT + rows * ROW + (rows ? 12 : 0);
  const [x, y] = scalesOf(drawn, look);
  const parts = [
    `<rect width="${WIDTH}" height="${height}" fill="${look.colours.surface}"/>`,
    text(EDGE.left, 26, look.title, { size: 16, weight: 600, fill: look.colours.text }),
    ...axes(drawn, look, x, y),
    `<clipPath id="plot"><rect x="${EDGE.left}" y="${EDGE.top}" width="${WIDTH - EDGE.left - EDGE.right}" height="${HEIGHT - EDGE.top - EDGE.bottom}"/></clipPath>`,
    `<g clip-path="url(#plot)" fill="none" stroke-linejoin="round">`,
    ...drawn.lines.map((line) => lineOf(line, drawn.x, look, x, y)),
    "</g>",
    ...legend(drawn, look),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif">${parts.join("\n")}</svg>\n`;
}

type Position = (value: number) => number;

function scalesOf(drawn: Drawn, look: Look): [Position, Position] {
  return [
    scale(look.xRange, EDGE.left, WIDTH - EDGE.right, look.xScale === "log"),
    scale(drawn.y, HEIGHT - EDGE.bottom, EDGE.top, look.logY),
  ];
}

function scale([low, high]: readonly [number, number], from: number, to: number, log: boolean): Position {
  const of = log ? Math.log10 : (value: number) => value;
  const [first, span] = [of(low), of(high) - of(low) || 1];
  return (value) => round(from + ((of(value) - first) / span) * (to - from));
}

function axes(drawn: Drawn, look: Look, x: Position, y: Position): string[] {
  const yScale: Scale = look.logY ? "log" : "number";
  const [yTicks, xTicks] = [ticksOf(...drawn.y, 6, yScale), ticksOf(...look.xRange, 8, look.xScale)];
  const { line, text: fill } = look.colours;
  return [
    ...yTicks.map(
      (each) =>
        `<path d="M${EDGE.left} ${y(each)}H${WIDTH - EDGE.right}" stroke="${line}"/>` +
        text(EDGE.left - 8, y(each) + 4, formatTick(each, stepOf(yTicks), yScale), { fill, anchor: "end" }),
    ),
    ...xTicks.map((each) =>
      text(x(each), HEIGHT - EDGE.bottom + 18, formatTick(each, stepOf(xTicks), look.xScale), {
        fill,
        anchor: "middle",
      }),
    ),
    text((WIDTH + EDGE.left - EDGE.right) / 2, HEIGHT - 8, look.xTitle, { fill, anchor: "middle" }),
  ];
}

function stepOf(ticks: readonly number[]): number {
  return ticks.length > 1 ? (ticks[1] as number) - (ticks[0] as number) : Math.abs(ticks[0] ?? 1) || 1;
}

function lineOf(line: DrawnLine, xs: readonly number[], look: Look, x: Position, y: Position): string {
  const colour = look.colourOf(line.id);
  const dash = look.dashOf(line.id).join(" ");
  const main = pathOf(line.main, xs, x, y);
  return [
    line.band && `<path d="${bandOf(line.band, xs, x, y)}" fill="${colour}" fill-opacity="0.15"/>`,
    line.raw && `<path d="${pathOf(line.raw, xs, x, y)}" stroke="${colour}" stroke-opacity="0.3"/>`,
    `<path d="${main}" stroke="${colour}" stroke-width="1.6" stroke-linecap="round"${dash ? ` stroke-dasharray="${dash}"` : ""}/>`,
  ]
    .filter(Boolean)
    .join("");
}

function pathOf(values: Values, xs: readonly number[], x: Position, y: Position): string {
  let [path, open] = ["", false];
  for (const [at, value] of values.entries()) {
    if (typeof value === "number") path += `${open ? "L" : "M"}${x(xs[at] as number)} ${y(value)}`;
    // A curve with one point is a dot.
    if (typeof value === "number" && !open) path += "h0";
    if (value !== undefined) open = value !== null;
  }
  return path;
}

function bandOf(band: { min: Values; max: Values }, xs: readonly number[], x: Position, y: Position): string {
  const inside = xs.flatMap((_, at) =>
    typeof band.min[at] === "number" && typeof band.max[at] === "number" ? at : [],
  );
  const point = (values: Values) => (at: number) => `${x(xs[at] as number)} ${y(values[at] as number)}`;
  const corners = [...inside.map(point(band.max)), ...inside.toReversed().map(point(band.min))];
  return corners.length ? `M${corners.join("L")}Z` : "";
}

function legend(drawn: Drawn, look: Look): string[] {
  const width = (WIDTH - EDGE.left - EDGE.right) / COLUMNS;
  return drawn.lines.map((line, at) => {
    const [left, top] = [EDGE.left + (at % COLUMNS) * width, HEIGHT + 8 + Math.floor(at / COLUMNS) * ROW];
    const dash = look.dashOf(line.id).join(" ");
    const stroke = `stroke="${look.colourOf(line.id)}" stroke-width="2.5"${dash ? ` stroke-dasharray="${dash}"` : ""}`;
    return `<path d="M${left} ${top}h18" ${stroke}/>${text(left + 24, top + 4, clip(look.nameOf(line.id)), { fill: look.colours.text })}`;
  });
}

function clip(name: string): string {
  return name.length > 34 ? `${name.slice(0, 33)}…` : name;
}

interface TextLook {
  fill: string;
  size?: number;
  weight?: number;
  anchor?: string;
}

function text(
  x: number,
  y: number,
  content: string,
  { fill, size = 12, weight = 400, anchor = "start" }: TextLook,
): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="${fill}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

const NAMED: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(content: string): string {
  // XML allows no control characters.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are meant
  return content.replace(/[\u0000-\u001f\ufffe\uffff]/g, " ").replace(/[&<>"]/g, (each) => NAMED[each] as string);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
