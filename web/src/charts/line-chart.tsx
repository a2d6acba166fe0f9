/** The curves of one metric: pointer, keyboard and touch; the values at the cursor; the same as a table. */
import { useSignalEffect } from "@preact/signals";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { setQuery } from "../state/route.ts";
import type { Drawn } from "./drawn.ts";
import { nearest } from "./find.ts";
import { hovered, light, lit } from "./hover.ts";
import { type Looks, lookOf, useLooks, xScaleOf } from "./look.ts";
import { paletteVersion } from "./palette.ts";
import { Plot } from "./plot.ts";
import { queryOf, type Zoom } from "./settings.ts";
import { ValueList, ValueTable, valuesText } from "./values.tsx";

interface Props {
  metric: string;
  /** Two charts may show one metric: the small and the large one. */
  chart: string;
  drawn: Drawn;
  isTable: boolean;
  /** Show it large; undefined where it is. */
  onLarge?: (() => void) | undefined;
}

const zoomTo = (zoom: Zoom | undefined) => setQuery(queryOf({ zoom }));

export function LineChart({ metric, chart, drawn, isTable, onLarge }: Props) {
  const looks = useLooks();
  if (isTable) return <ValueTable metric={metric} drawn={drawn} looks={looks} />;
  if (!drawn.x.length) return <p class="chart-plot chart-empty">No values to show</p>;
  return <Curves metric={metric} chart={chart} drawn={drawn} looks={looks} onLarge={onLarge} />;
}

function Curves({ metric, chart, drawn, looks, onLarge }: Omit<Props, "isTable"> & { looks: Looks }) {
  const element = useRef<HTMLDivElement>(null);
  const plot = usePlot(element, chart, drawn, looks);
  const [said, setSaid] = useState("");
  const help = useId();
  // The keys are for the chart at once, not for the tools above it.
  useEffect(() => {
    if (!onLarge) element.current?.focus();
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (onLarge && (event.key === "Enter" || event.key === "f") && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      onLarge();
      return;
    }
    // In a dialog Escape closes that.
    if (event.key === "Escape" && !onLarge) return;
    const text = plot.current && actOnKey(event, chart, drawn, looks);
    if (text !== undefined && text !== null) {
      event.preventDefault();
      setSaid(text);
    }
  };
  return (
    <div class="chart-plot">
      {/* biome-ignore lint/a11y/useSemanticElements: it is drawn; the arrow keys move its cursor */}
      <div
        class="chart-canvas"
        ref={element}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: as above
        tabIndex={0}
        aria-label={`${metric}, ${drawn.lines.length} ${drawn.lines.length === 1 ? "curve" : "curves"}`}
        aria-describedby={help}
        onKeyDown={onKeyDown}
        onBlur={() => leave(chart)}
        onPointerEnter={() => inside(plot.current, true)}
        onPointerLeave={(event) => {
          // A finger that is lifted leaves the values to be read.
          if (event.pointerType === "touch") return;
          inside(plot.current, false);
          leave(chart);
        }}
      />
      <span id={help} class="visually-hidden">
        Left and right move the cursor, up and down choose a curve, plus and minus zoom.{" "}
        {onLarge ? "Escape shows all, Enter shows it large." : "Escape closes."}
      </span>
      <span class="visually-hidden" aria-live="polite">
        {said}
      </span>
      <ValueList chart={chart} drawn={drawn} looks={looks} leftOf={(x) => plot.current?.leftOf(x) ?? 0} />
    </div>
  );
}

function inside(plot: Plot | null, isInside: boolean): void {
  if (plot) plot.isInside = isInside;
}

function leave(chart: string): void {
  if (hovered.peek()?.chart === chart) hovered.value = undefined;
  light(undefined);
}

/** A plot in the element, redrawn when its values, its size or the theme change. */
function usePlot(element: { current: HTMLDivElement | null }, chart: string, drawn: Drawn, looks: Looks) {
  const plot = useRef<Plot | null>(null);
  const { settings } = looks;
  const shape = JSON.stringify([
    drawn.lines.map((each) => [each.id, looks.slots.get(each.id)]),
    [settings.x, settings.logX, settings.logY, settings.zoom, drawn.x.length === 1],
  ]);
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const made = new Plot(
      target,
      drawn,
      { ...lookOf(looks), xScale: xScaleOf(settings), logY: settings.logY, zoom: settings.zoom },
      {
        onHover: (x) => hover(chart, x),
        onLight: (id) => hovered.peek()?.chart === chart && light(id),
        onZoom: zoomTo,
      },
    );
    plot.current = made;
    const sizes = new ResizeObserver(() => made.resize(target.clientWidth, target.clientHeight));
    sizes.observe(target);
    return () => {
      sizes.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.update(drawn), [drawn]);
  useSignalEffect(() => {
    const at = hovered.value;
    if (at?.chart !== chart || at.byKey) plot.current?.point(at?.x);
  });
  useSignalEffect(() => plot.current?.light(lit.value));
  useSignalEffect(() => {
    if (paletteVersion.value >= 0) plot.current?.redraw();
  });
  return plot;
}

function hover(chart: string, x: number | undefined): void {
  if (x !== undefined) hovered.value = { x, chart };
  else if (hovered.peek()?.chart === chart) hovered.value = undefined;
}

const ZOOM_STEP = 0.6;

/** Move the cursor, choose a curve or zoom. Returns what to say, or undefined for another key. */
function actOnKey(event: KeyboardEvent, chart: string, drawn: Drawn, looks: Looks): string | undefined {
  const { x, lines } = drawn;
  const known = hovered.peek();
  const at = known ? nearest(x, known.x) : -1;
  const far = event.shiftKey ? 10 : 1;
  const moves: Record<string, number> = { ArrowLeft: at - far, ArrowRight: at + far, Home: 0, End: x.length - 1 };
  const moved = moves[event.key];
  if (moved !== undefined) {
    const index = Math.max(0, Math.min(x.length - 1, moved));
    hovered.value = { x: x[index] as number, chart, byKey: true };
    return valuesText(drawn, looks, index, lit.peek());
  }
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const now = lines.findIndex((each) => each.id === lit.peek());
    const next = lines[(now + (event.key === "ArrowUp" ? -1 : 1) + lines.length) % lines.length];
    light(next?.id);
    return next ? valuesText(drawn, looks, Math.max(0, at), next.id) : "";
  }
  if (event.key === "+" || event.key === "-") {
    const zoom = zoomAround(looks.settings.zoom ?? [x[0] as number, x.at(-1) as number], known?.x, event.key === "+");
    zoomTo(zoom);
    return "Zoomed";
  }
  if (event.key === "Escape") {
    zoomTo(undefined);
    return "All is shown";
  }
  return undefined;
}

function zoomAround([from, to]: Zoom, x = (from + to) / 2, isCloser: boolean): Zoom {
  const scale = isCloser ? ZOOM_STEP : 1 / ZOOM_STEP;
  return [x - (x - from) * scale, x + (to - x) * scale];
}
