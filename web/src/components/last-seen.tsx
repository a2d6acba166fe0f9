/** When a running iteration was last heard of: "seen 5 s ago", or, as a warning, "silent for 12 min". */
import { formatTime, seenText } from "./format.ts";
import { now } from "./time.tsx";

export function LastSeen({ at }: { at: string }) {
  const time = new Date(at);
  const { text, isSilent } = seenText((now.value.getTime() - time.getTime()) / 1000);
  return (
    <span class={`last-seen ${isSilent ? "is-silent" : ""}`} title={`Last heartbeat: ${formatTime(time)}`}>
      {text}
    </span>
  );
}
