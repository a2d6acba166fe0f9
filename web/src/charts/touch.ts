/** Charts by finger: one moves the cursor, two zoom, a double tap shows all again. The page still scrolls up and down. */
import type uPlot from "uplot";
import type { Zoom } from "./settings.ts";

const DOUBLE_TAP_MS = 300;
const SLOP = 10;

export function attachTouch(plot: uPlot, onZoom: (zoom: Zoom | undefined) => void): () => void {
  const { over } = plot;
  const fingers = new Map<number, number>();
  let begun: { lefts: [number, number]; values: [number, number] } | undefined;
  let lastTap = 0;
  let moved = 0;
  const leftOf = (event: PointerEvent) => event.clientX - over.getBoundingClientRect().left;
  const stop = new AbortController();

  const listen = (
    name: "pointerdown" | "pointermove" | "pointerup" | "pointercancel",
    act: (e: PointerEvent) => void,
  ) => over.addEventListener(name, (event) => event.pointerType === "touch" && act(event), { signal: stop.signal });

  over.style.touchAction = "pan-y";
  listen("pointerdown", (event) => {
    fingers.set(event.pointerId, leftOf(event));
    moved = 0;
    if (fingers.size === 2) begin();
    else plot.setCursor({ left: leftOf(event), top: event.offsetY });
  });
  listen("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    moved += Math.abs(leftOf(event) - (fingers.get(event.pointerId) as number));
    fingers.set(event.pointerId, leftOf(event));
    if (fingers.size === 1 && !begun) plot.setCursor({ left: leftOf(event), top: event.offsetY });
  });
  listen("pointerup", (event) => {
    if (begun && fingers.size === 2) pinch();
    else if (moved < SLOP && event.timeStamp - lastTap < DOUBLE_TAP_MS) onZoom(undefined);
    if (moved < SLOP) lastTap = event.timeStamp;
    forget(event);
  });
  listen("pointercancel", (event) => forget(event));

  function begin(): void {
    const lefts = [...fingers.values()].sort((a, b) => a - b) as [number, number];
    begun = { lefts, values: lefts.map((each) => plot.posToVal(each, "x")) as [number, number] };
  }

  /** What was under the fingers at first is under them at the end. */
  function pinch(): void {
    const ends = [...fingers.values()].sort((a, b) => a - b) as [number, number];
    const zoom = begun && zoomOf(begun.values, ends, over.clientWidth);
    if (zoom) onZoom(zoom);
  }

  function forget(event: PointerEvent): void {
    fingers.delete(event.pointerId);
    if (!fingers.size) begun = undefined;
  }
  return () => stop.abort();
}

/** The range of x in which these two values are at these two places of a chart. */
export function zoomOf(values: Zoom, lefts: Zoom, width: number): Zoom | undefined {
  const distance = lefts[1] - lefts[0];
  if (distance < SLOP) return undefined;
  const scale = (values[1] - values[0]) / distance;
  const from = values[0] - lefts[0] * scale;
  return [from, from + width * scale];
}
