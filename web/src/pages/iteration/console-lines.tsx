/** Lines of one height, of which only those on the screen are in the page. */
import type { RefObject } from "preact";
import { useEffect, useImperativeHandle, useRef, useState } from "preact/hooks";
import { formatTime } from "../../components/format.ts";
import { type Piece, pieces } from "./ansi.ts";
import { split } from "./mark.ts";
import type { Line } from "./output.ts";

export interface Scroll {
  toEnd: () => void;
  toLine: (index: number) => void;
}

interface Props {
  lines: readonly Line[];
  version: number;
  search: string;
  /** The line that the search is at. */
  current: number | undefined;
  scroll: RefObject<Scroll | null>;
  /** Called when the user scrolls: whether that is the end. */
  atEnd: (end: boolean) => void;
}

/** The height of a line in pixels; the style sheet has the same. */
const HEIGHT = 19;
const MORE = 30;

export function ConsoleLines({ lines, search, current, scroll, atEnd }: Props) {
  const box = useRef<HTMLElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  // A scroll of our own says nothing about what the user wants.
  const own = useRef(false);
  const to = (position: number) => {
    if (!box.current) return;
    const before = box.current.scrollTop;
    box.current.scrollTop = position;
    own.current = box.current.scrollTop !== before;
    setTop(box.current.scrollTop);
  };
  useImperativeHandle(scroll, () => ({
    toEnd: () => to(box.current?.scrollHeight ?? 0),
    toLine: (index) => to(Math.max(0, index * HEIGHT - height / 2)),
  }));
  useEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(([entry]) => setHeight(entry?.contentRect.height ?? 600));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const onScroll = () => {
    if (!box.current) return;
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    setTop(scrollTop);
    if (!own.current) atEnd(scrollTop + clientHeight >= scrollHeight - HEIGHT);
    own.current = false;
  };
  const first = Math.max(0, Math.floor(top / HEIGHT) - MORE);
  const last = Math.min(lines.length, Math.ceil((top + height) / HEIGHT) + MORE);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
    <section class="console" ref={box} tabIndex={0} aria-label="Output of the program" onScroll={onScroll}>
      <ol style={{ height: `${lines.length * HEIGHT}px`, paddingTop: `${first * HEIGHT}px` }}>
        {lines.slice(first, last).map((line, index) => (
          <ConsoleLine key={first + index} line={line} search={search} isCurrent={first + index === current} />
        ))}
      </ol>
    </section>
  );
}

function ConsoleLine({ line, search, isCurrent }: { line: Line; search: string; isCurrent: boolean }) {
  const title = line.at ? `${line.stream}, ${formatTime(new Date(line.at))}` : undefined;
  return (
    <li class={`is-${line.stream} ${isCurrent ? "is-current" : ""}`} title={title}>
      <span class="mark-stream">{line.stream === "stderr" ? "err" : ""}</span>
      <code>
        {pieces(line.text).map((piece, index) => (
          <PieceOf key={index} piece={piece} search={search} />
        ))}
      </code>
    </li>
  );
}

/** A very long line is cut on the screen: thousands of characters in a row are slow to lay out. */
const WIDEST = 5000;

function PieceOf({ piece, search }: { piece: Piece; search: string }) {
  const kind = [piece.colour ? `ansi-${piece.colour}` : "", piece.bold ? "ansi-bold" : ""].filter(Boolean).join(" ");
  const text = piece.text.length > WIDEST ? `${piece.text.slice(0, WIDEST)} … (cut)` : piece.text;
  const parts = split(text, search).map(({ text: part, isHit }) => (isHit ? <mark>{part}</mark> : part));
  return <span class={kind}>{parts}</span>;
}
