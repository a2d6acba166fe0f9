import { signal } from "@preact/signals";
import { formatAgo, formatDuration, formatTime } from "./format.ts";

/** The time of this moment; all texts that depend on it change together. */
export const now = signal(new Date());
setInterval(() => {
  if (document.visibilityState === "visible") now.value = new Date();
}, 10_000);

/** How long ago, with the whole time on pointing. */
export function Time({ at }: { at: string }) {
  const time = new Date(at);
  return (
    <time dateTime={at} title={formatTime(time)}>
      {formatAgo(time, now.value)}
    </time>
  );
}

/** How long something took, or takes so far. */
export function Duration({ from, to }: { from: string; to?: string | null }) {
  const end = to ? new Date(to) : now.value;
  return <span>{formatDuration(Math.max(0, (end.getTime() - Date.parse(from)) / 1000))}</span>;
}

/** A day to come, in words. */
export function Day({ at }: { at: string }) {
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()}>
      {new Date(at).toLocaleDateString(undefined, { dateStyle: "long" })}
    </time>
  );
}
