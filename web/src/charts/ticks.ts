/** The numbers beside an axis. */
import { formatNumber } from "../components/format.ts";

/** "step": whole numbers. */
export type Scale = "number" | "step" | "log" | "duration" | "time";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Distances of ticks of a time, in seconds. */
export const TIME_STEPS: readonly number[] = [
  ...[0.001, 0.01, 0.1, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((each) => each * MINUTE),
  ...[1, 2, 3, 6, 12].map((each) => each * HOUR),
  ...[1, 2, 5, 10, 30, 100, 365, 1000].map((each) => each * DAY),
];

/** About `wanted` round numbers from low to high. */
export function ticksOf(low: number, high: number, wanted: number, scale: Scale): number[] {
  if (scale === "log") return powersOf(low, high, wanted);
  const step = stepOf((high - low) / wanted, scale);
  const first = Math.ceil(low / step);
  const count = Math.max(0, Math.floor(high / step) - first + 1);
  return Array.from({ length: Math.min(count, 100) }, (_, at) => (first + at) * step);
}

function stepOf(step: number, scale: Scale): number {
  if (scale === "step") return Math.max(1, roundStep(step));
  return scale === "number" ? roundStep(step) : timeStep(step);
}

/** Powers of ten; over few decades also twice and five times these, within one decade as on a linear axis. */
function powersOf(low: number, high: number, wanted: number): number[] {
  const decades = Math.log10(high / low);
  if (decades < 1) return ticksOf(low, high, wanted, "number").filter((each) => each > 0);
  const times = decades * 3 <= wanted + 1 ? [1, 2, 5] : [1];
  const step = Math.max(1, Math.ceil(decades / wanted));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += step) {
    for (const each of times) ticks.push(each * 10 ** power);
  }
  return ticks.filter((each) => each >= low * 0.9999 && each <= high * 1.0001);
}

function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const times = [1, 2, 5, 10].find((each) => each * power >= step * 0.999) ?? 10;
  return times * power;
}

function timeStep(step: number): number {
  return TIME_STEPS.find((each) => each >= step) ?? roundStep(step);
}

/** A tick as text, with as many digits as the distance to the next one needs. */
export function formatTick(value: number, step: number, scale: Scale): string {
  if (scale === "duration") return formatSeconds(value);
  if (scale === "time") return formatClock(value, step);
  if (scale === "log" || value === 0) return formatNumber(value, 3);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return exponential(value);
  return value
    .toFixed(digitsOf(step))
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "")
    .replace("-", "−");
}

/** How many digits behind the point a step has: 2 for 0.25. */
function digitsOf(step: number): number {
  let digits = 0;
  while (digits < 8 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6 * 10 ** digits * step)
    digits += 1;
  return digits;
}

function exponential(value: number): string {
  return Number(value.toPrecision(4)).toExponential().replace("e+", "e").replaceAll("-", "−");
}

function formatSeconds(seconds: number): string {
  const size = Math.abs(seconds);
  for (const [unit, length] of [
    ["d", DAY],
    ["h", HOUR],
    ["min", MINUTE],
  ] as const) {
    if (size >= length) return `${formatNumber(seconds / length, 3)} ${unit}`;
  }
  return `${formatNumber(seconds, 3)} s`;
}

function formatClock(seconds: number, step: number): string {
  const time = new Date(seconds * 1000);
  if (step >= DAY) return time.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const clock = time.toLocaleTimeString("en-GB", step >= MINUTE ? { hour: "2-digit", minute: "2-digit" } : {});
  const isMidnight = time.getHours() === 0 && time.getMinutes() === 0;
  return isMidnight ? time.toLocaleDateString("en-GB", { day: "numeric", month: "short" }) : clock;
}

/** A value of x where it stands alone. */
export function formatX(value: number, scale: Scale): string {
  if (scale === "time")
    return new Date(value * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  if (scale === "duration") return formatSeconds(value);
  return formatNumber(Number.isInteger(value) ? value : Number(value.toPrecision(6)));
}
