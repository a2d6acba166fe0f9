/** Numbers and times as people read them. */

/** JSON has no NaN: such a value is a text. */
export type WireNumber = number | "NaN" | "Infinity" | "-Infinity";

// Made once: each `toLocaleString` makes such an object, which is slow where a table shows hundreds.
const WHOLE = new Intl.NumberFormat("en-US");
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

const SIGNS = { NaN: "NaN", Infinity: "∞", "-Infinity": "−∞" };

/** A value of a metric in at most `digits` significant digits. */
export function formatNumber(value: WireNumber, digits = 5): string {
  if (typeof value === "string") return SIGNS[value];
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return WHOLE.format(value).replaceAll(",", "\u2009").replace("-", "−");
  return digitsOf(value, size, digits)
    .replace(/(\.\d*?)0+(?=e|$)/, "$1")
    .replace(/\.(?=e|$)/, "")
    .replace("e+", "e")
    .replaceAll("-", "−");
}

function digitsOf(value: number, size: number, digits: number): string {
  if (size >= 1e6 || size < 1e-4) return value.toExponential(digits - 1);
  return size >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits);
}

const UNITS: readonly [string, number][] = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
];

/** A span of seconds: "3.2 s", "4 min", "5 h 12 min", "3 d 4 h". */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.floor(seconds)} s`;
  const index = UNITS.findIndex(([, length]) => seconds >= length);
  const [unit, length] = UNITS[index] ?? ["min", 60];
  const next = UNITS[index + 1];
  const rest = next ? Math.floor((seconds % length) / next[1]) : 0;
  return `${Math.floor(seconds / length)} ${unit}${next && rest > 0 ? ` ${rest} ${next[0]}` : ""}`;
}

/** How long ago: "just now", "5 min ago", "yesterday at 14:02", "12 Nov 2026". */
export function formatAgo(time: Date, now: Date): string {
  const seconds = (now.getTime() - time.getTime()) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 7 * 86_400) return `${Math.round(seconds / 86_400)} d ago`;
  return formatDay(time);
}

/** An idle client sends a heartbeat after a minute (docs/liveness.md). */
const SILENT_SECONDS = 150;

/** When a running iteration was last heard of; the clocks of server and browser may differ. */
export function seenText(seconds: number): { text: string; isSilent: boolean } {
  if (seconds >= SILENT_SECONDS) return { text: `silent for ${formatDuration(seconds)}`, isSilent: true };
  const ago = seconds < 60 ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / 60)} min`;
  return { text: seconds < 5 ? "seen just now" : `seen ${ago} ago`, isSilent: false };
}

export function formatDay(time: Date): string {
  return textOf(time, DAY);
}

/** Local time to the second, with the zone. */
export function formatTime(time: Date): string {
  return textOf(time, TIME);
}

/** A format throws on a time that is none. */
function textOf(time: Date, format: Intl.DateTimeFormat): string {
  return Number.isNaN(time.getTime()) ? "–" : format.format(time);
}

const SIZES = ["bytes", "KB", "MB", "GB", "TB"];

export function formatBytes(bytes: number): string {
  const index = bytes < 1000 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** index;
  return `${index === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${SIZES[index]}`;
}

/** "1 line", "2,003 lines". */
export function countOf(count: number, noun: string): string {
  return `${WHOLE.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}
