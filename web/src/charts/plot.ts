/** One line chart: uPlot with bands, values behind smoothed curves, and marks for what is not finite. */
import uPlot from "uplot";
import type { Drawn, DrawnLine } from "./drawn.ts";
import type { Values } from "./model.ts";
import { resolveColour } from "./palette.ts";
import type { Zoom } from "./settings.ts";
import { formatTick, type Scale, TIME_STEPS, ticksOf } from "./ticks.ts";
import { attachTouch } from "./touch.ts";

export interface PlotLook {
  xScale: Scale;
  logY: boolean;
  zoom: Zoom | undefined;
  colourOf: (id: string) => string;
  dashOf: (id: string) => readonly number[];
}

export interface PlotEvents {
  /** The pointer is at this x, or has left. */
  onHover: (x: number | undefined) => void;
  /** The pointer is near this curve. */
  onLight: (id: string | undefined) => void;
  /** A part of x was selected; undefined for all of it. */
  onZoom: (zoom: Zoom | undefined) => void;
}

const FAINT = 0.28;
const BAND = 0.16;
const FONT = "12px system-ui, sans-serif";
const NEAR = 24;
const WHOLE_STEPS = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((each) => each * 10 ** power)).flat();

export class Plot {
  #drawn: Drawn;
  readonly #look: PlotLook;
  readonly #events: PlotEvents;
  readonly #plot: uPlot;
  readonly #detach: () => void;
  /** Whether the pointer is in the chart: uPlot tells its moves a frame later. */
  isInside = false;
  /** The cursor is moved from outside: then it lights no curve. */
  #isPointed = false;

  constructor(element: HTMLElement, drawn: Drawn, look: PlotLook, events: PlotEvents) {
    this.#drawn = drawn;
    this.#look = look;
    this.#events = events;
    this.isInside = element.matches(":hover");
    const size = { width: Math.max(80, element.clientWidth), height: Math.max(80, element.clientHeight) };
    this.#plot = new uPlot({ ...this.#options(), ...size }, dataOf(drawn), element);
    this.#detach = attachTouch(this.#plot, events.onZoom);
  }

  /** Other values of the same curves. */
  update(drawn: Drawn): void {
    this.#drawn = drawn;
    this.#plot.setData(dataOf(drawn));
  }

  resize(width: number, height: number): void {
    if (width > 0 && (width !== this.#plot.width || height !== this.#plot.height))
      this.#plot.setSize({ width, height });
  }

  redraw(): void {
    this.#plot.redraw(false, true);
  }

  /** Show the cursor at an x, as another chart has it; undefined for none. */
  point(x: number | undefined): void {
    const left = x === undefined ? -10 : this.#plot.valToPos(x, "x");
    this.#isPointed = true;
    this.#plot.setCursor({ left: left >= 0 && left <= this.#plot.over.clientWidth ? left : -10, top: 0 }, false);
    this.#isPointed = false;
  }

  light(id: string | undefined): void {
    const index = this.#drawn.lines.findIndex((each) => each.id === id);
    this.#plot.setSeries(index < 0 ? null : index + 1, { focus: true }, false);
  }

  /** The place of an x in the element of the chart, in pixels from the left. */
  leftOf(x: number): number {
    return this.#plot.valToPos(x, "x") + this.#plot.bbox.left / uPlot.pxRatio;
  }

  destroy(): void {
    this.#detach();
    this.#plot.destroy();
  }

  #options(): Omit<uPlot.Options, "width" | "height"> {
    const { xScale, logY } = this.#look;
    return {
      legend: { show: false },
      padding: [8, 10, 0, 0],
      focus: { alpha: 0.2 },
      scales: {
        x: { time: false, distr: xScale === "log" ? 3 : 1, range: () => this.xRange() },
        y: { distr: logY ? 3 : 1, range: () => [...this.#drawn.y] as [number, number] },
      },
      axes: [this.#xAxis(), this.#yAxis()],
      series: [{}, ...this.#drawn.lines.map((line) => this.#series(line))],
      cursor: this.#cursor(),
      hooks: {
        drawAxes: [() => this.#drawBehind()],
        draw: [() => this.#drawMarks()],
        setCursor: [(plot) => this.#hover(plot)],
        setSeries: [(_, index, given) => "focus" in given && this.#light(index)],
        setSelect: [(plot) => this.#select(plot)],
      },
    };
  }

  /** The shown part of x, with some room around a single point. */
  xRange(): [number, number] {
    if (this.#look.zoom) return [...this.#look.zoom] as [number, number];
    const { x } = this.#drawn;
    const [low, high] = [x[0] ?? 0, x.at(-1) ?? 1];
    if (low < high) return [low, high];
    return this.#look.xScale === "log" ? [(low || 1) / 2, (low || 1) * 2] : [low - 1, low + 1];
  }

  #xAxis(): uPlot.Axis {
    const { xScale } = this.#look;
    const isTime = xScale === "duration" || xScale === "time";
    return {
      ...axisLook(),
      size: 30,
      space: xScale === "time" ? 74 : 56,
      values: (_, splits, __, ___, step) => textsOf(splits, step, xScale),
      ...(xScale === "log" ? logTicks(56) : {}),
      ...(isTime ? { incrs: [...TIME_STEPS] } : {}),
      ...(xScale === "step" ? { incrs: WHOLE_STEPS } : {}),
    };
  }

  #yAxis(): uPlot.Axis {
    const scale = this.#look.logY ? "log" : "number";
    return {
      ...axisLook(),
      space: 30,
      size: (_, texts) => 16 + Math.max(18, ...(texts ?? []).map((each) => 7 * (each?.length ?? 0))),
      values: (_, splits, __, ___, step) => textsOf(splits, step, scale),
      ...(scale === "log" ? logTicks(30) : {}),
    };
  }

  #series(line: DrawnLine): uPlot.Series {
    const dash = this.#look.dashOf(line.id);
    return {
      stroke: () => this.#look.colourOf(line.id),
      width: 1.6,
      ...(dash.length ? { dash: [...dash] } : {}),
      points: { size: 5, ...(this.#drawn.x.length === 1 ? { show: true, size: 7 } : {}) },
    };
  }

  #cursor(): uPlot.Cursor {
    return {
      y: false,
      drag: { x: true, y: false, setScale: false },
      focus: { prox: NEAR },
      points: { size: 7 },
      bind: {
        dblclick: () => () => {
          this.#events.onZoom(undefined);
          return null;
        },
      },
    };
  }

  #light(index: number | null): void {
    if (this.#isPointed) return;
    if (this.isInside) this.#events.onLight(index === null ? undefined : this.#drawn.lines[index - 1]?.id);
    else if (index !== null) queueMicrotask(() => this.#plot.setSeries(null, { focus: true }, false));
  }

  #hover(plot: uPlot): void {
    const { idx, left } = plot.cursor;
    if (!this.isInside) return;
    const isIn = typeof idx === "number" && left !== undefined && left >= 0;
    this.#events.onHover(isIn ? this.#drawn.x[idx] : undefined);
  }

  #select(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 5) return;
    const zoom: Zoom = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#events.onZoom(zoom);
  }

  #drawBehind(): void {
    const { ctx } = this.#plot;
    this.#clipped(() => {
      for (const line of this.#drawn.lines) {
        ctx.fillStyle = ctx.strokeStyle = this.#look.colourOf(line.id);
        if (line.band) this.#fillBand(line.band);
        if (line.raw) this.#strokeRaw(line.raw);
      }
    });
  }

  #clipped(act: () => void, around = 0): void {
    const { ctx, bbox } = this.#plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - around, bbox.top, bbox.width + 2 * around, bbox.height);
    ctx.clip();
    act();
    ctx.restore();
  }

  #fillBand({ min, max }: { min: Values; max: Values }): void {
    const { ctx } = this.#plot;
    const inside = this.#drawn.x.flatMap((_, at) => (isNumber(min[at]) && isNumber(max[at]) ? at : []));
    ctx.beginPath();
    for (const at of inside) ctx.lineTo(...this.#position(at, max[at] as number));
    for (const at of inside.toReversed()) ctx.lineTo(...this.#position(at, min[at] as number));
    ctx.globalAlpha = BAND;
    ctx.fill();
  }

  #strokeRaw(values: Values): void {
    const { ctx } = this.#plot;
    let open = false;
    ctx.beginPath();
    for (const [at, value] of values.entries()) {
      if (isNumber(value)) ctx[open ? "lineTo" : "moveTo"](...this.#position(at, value));
      if (value !== undefined) open = value !== null;
    }
    ctx.globalAlpha = FAINT;
    ctx.lineWidth = uPlot.pxRatio;
    ctx.stroke();
  }

  #position(at: number, value: number): [number, number] {
    return [this.#plot.valToPos(this.#drawn.x[at] as number, "x", true), this.#plot.valToPos(value, "y", true)];
  }

  /** At the upper edge ∞, at the lower edge −∞ and NaN. */
  #drawMarks(): void {
    const { ctx, bbox } = this.#plot;
    const size = 4 * uPlot.pxRatio;
    this.#clipped(() => {
      ctx.lineWidth = 1.5 * uPlot.pxRatio;
      for (const line of this.#drawn.lines) {
        ctx.fillStyle = ctx.strokeStyle = this.#look.colourOf(line.id);
        for (const { x, kind } of line.marks) {
          const left = this.#plot.valToPos(x, "x", true);
          const top = kind === "Infinity" ? bbox.top + size + 1 : bbox.top + bbox.height - size - 1;
          drawMark(ctx, kind, left, top, size);
        }
      }
    }, size);
  }
}

function drawMark(ctx: CanvasRenderingContext2D, kind: string, x: number, y: number, size: number): void {
  ctx.beginPath();
  if (kind === "NaN") {
    for (const side of [-1, 1]) {
      ctx.moveTo(x - size, y - side * size);
      ctx.lineTo(x + size, y + side * size);
    }
    ctx.stroke();
    return;
  }
  const up = kind === "Infinity" ? -size : size;
  ctx.moveTo(x, y + up);
  ctx.lineTo(x - size, y - up);
  ctx.lineTo(x + size, y - up);
  ctx.fill();
}

function axisLook(): uPlot.Axis {
  return {
    stroke: () => resolveColour("--muted"),
    font: FONT,
    gap: 6,
    grid: { stroke: () => resolveColour("--line-soft"), width: 1 },
    ticks: { show: false },
  };
}

/** Ticks of a logarithmic axis, about so many pixels apart. */
function logTicks(space: number): Pick<uPlot.Axis, "splits" | "filter"> {
  return {
    splits: (plot, axis, min, max) => {
      const length = (axis === 0 ? plot.bbox.width : plot.bbox.height) / uPlot.pxRatio;
      return ticksOf(min, max, Math.max(2, Math.floor(length / space)), "log");
    },
    filter: (_, splits) => splits,
  };
}

function textsOf(splits: (number | null)[], step: number, scale: Scale): string[] {
  return splits.map((each) => (each === null || each === undefined ? "" : formatTick(each, step, scale)));
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function dataOf(drawn: Drawn): uPlot.AlignedData {
  return [drawn.x, ...drawn.lines.map((each) => each.main)];
}
