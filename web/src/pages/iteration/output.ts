/** The lines of the output as a terminal would show them, and a reader that follows them. */
import type { Schemas } from "./part.ts";

export type Page = Schemas["OutputPage"];
type Wire = Pick<Schemas["OutputLine"], "stream" | "text" | "recorded_at"> & { gap?: Schemas["OutputGap"] | null };

export interface Line {
  stream: string;
  text: string;
  at: string;
}

export interface Gap {
  lines: number;
  bytes: number;
}

/** Add lines in place. A text after a carriage return replaces the line before it of its stream: a progress bar. */
export function append(lines: Line[], added: readonly Wire[], gap?: Gap | null): void {
  if (gap?.lines) lines.push(gapLine(gap));
  for (const each of added) {
    if (each.gap?.lines) lines.push(gapLine(each.gap));
    const line = { stream: each.stream, text: lastState(each.text), at: each.recorded_at };
    const before = each.text.startsWith("\r") ? lines.findLastIndex((old) => old.stream === each.stream) : -1;
    if (before < 0) lines.push(line);
    else lines[before] = line;
  }
}

function gapLine({ lines, bytes }: Gap): Line {
  return {
    stream: "gap",
    text: `… ${lines.toLocaleString("en-US")} lines (${bytes.toLocaleString("en-US")} bytes) were removed …`,
    at: "",
  };
}

function lastState(text: string): string {
  const states = text.split("\r").filter(Boolean);
  return states.at(-1) ?? "";
}

export interface Surroundings {
  read: (after: string | null, signal: AbortSignal) => Promise<Page>;
  /** Resolves when the program has given a sign of life, or has ended, since it was called last. */
  news: (signal: AbortSignal) => Promise<void>;
  running: () => boolean;
  show: (page: Page) => void;
}

/** Read all that follows the cursor, until the iteration has ended. */
export async function follow(from: string | null, around: Surroundings, signal: AbortSignal): Promise<void> {
  let cursor = from;
  for (;;) {
    // Asked before the read: what was printed until the end is in that read.
    const last = !around.running();
    const page = await around.read(cursor, signal);
    signal.throwIfAborted();
    cursor = page.cursor ?? cursor;
    around.show(page);
    if (page.next_cursor) continue;
    if (last) return;
    await around.news(signal);
    signal.throwIfAborted();
  }
}

/** The indexes of the lines that have the text, in any case. */
export function findIn(texts: Iterable<string>, search: string): number[] {
  const wanted = search.toLowerCase();
  const found: number[] = [];
  let index = 0;
  for (const text of texts) {
    if (wanted && text.toLowerCase().includes(wanted)) found.push(index);
    index += 1;
  }
  return found;
}
