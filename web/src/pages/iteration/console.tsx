/** What the program has printed: live, with a search, and with only the visible lines in the page. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button, Empty, Loading } from "../../components/basics.tsx";
import { ErrorBox } from "../../components/error-box.tsx";
import { countOf } from "../../components/format.ts";
import { plain } from "./ansi.ts";
import { ConsoleLines, type Scroll } from "./console-lines.tsx";
import { findIn, type Line } from "./output.ts";
import type { PartProps } from "./part.ts";
import { NEWEST, type Output, useOutput } from "./use-output.ts";

export default function Console({ iteration, running, news }: PartProps) {
  const [whole, setWhole] = useState(false);
  const output = useOutput(iteration.id, { running, news }, whole);
  if (output.error && !output.lines.length) return <ErrorBox error={output.error} retry={output.retry} />;
  if (!output.loaded) return <Loading />;
  if (!output.lines.length) return <Nothing running={running} />;
  return (
    <>
      {output.error ? <ErrorBox error={output.error} retry={output.retry} /> : null}
      {output.cut ? (
        <p class="note console-cut">
          The newest {NEWEST.toLocaleString()} lines and those that came since.{" "}
          <Button kind="plain" onClick={() => setWhole(true)}>
            Read from the beginning
          </Button>
        </p>
      ) : null}
      <Shown output={output} running={running} />
    </>
  );
}

function Nothing({ running }: { running: boolean }) {
  const text = running
    ? "Lines appear here as the program prints them."
    : "The program has printed nothing, or its output was not captured.";
  return (
    <Empty title="No output">
      <p>{text}</p>
      <p>
        <code>deardiary.start(…)</code> captures what Python prints. <code>capture=()</code> or{" "}
        <code>DEARDIARY_CAPTURE=none</code> turns that off; a child calls <code>capture_output()</code>.
      </p>
    </Empty>
  );
}

function Shown({ output, running }: { output: Output; running: boolean }) {
  const [follows, setFollows] = useState(true);
  const [stream, setStream] = useState("");
  const [search, setSearch] = useState("");
  const [at, setAt] = useState(0);
  const lines = useMemo(
    () => (stream ? output.lines.filter((each) => each.stream === stream || each.stream === "gap") : output.lines),
    [output.version, stream],
  );
  const hits = useMemo(() => (search ? findIn(plainTexts(lines), search) : []), [output.version, lines, search]);
  const current = hits.length ? hits[Math.min(at, hits.length - 1)] : undefined;
  const scroll = useRef<Scroll>(null);
  useEffect(() => {
    if (follows && current === undefined) scroll.current?.toEnd();
  }, [output.version, follows, stream]);
  useEffect(() => {
    if (current !== undefined) scroll.current?.toLine(current);
  }, [current, search]);
  const step = (by: number) =>
    setAt((old) => (hits.length ? (Math.min(old, hits.length - 1) + by + hits.length) % hits.length : 0));
  return (
    <>
      <div class="console-bar">
        <input
          type="search"
          aria-label="Find in the output"
          placeholder="Find in the output"
          value={search}
          onInput={(event) => {
            setSearch(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
          }}
        />
        {search ? <Hits count={hits.length} at={at} step={step} /> : null}
        <select aria-label="Stream" value={stream} onChange={(event) => setStream(event.currentTarget.value)}>
          <option value="">All streams</option>
          <option value="stdout">stdout</option>
          <option value="stderr">stderr</option>
        </select>
        {running ? (
          <label class="check">
            <input type="checkbox" checked={follows} onChange={(event) => setFollows(event.currentTarget.checked)} />
            Follow
          </label>
        ) : null}
        <span class="note">{countOf(lines.length, "line")}</span>
      </div>
      <ConsoleLines
        lines={lines}
        version={output.version}
        search={search}
        current={current}
        scroll={scroll}
        atEnd={(end) => setFollows(end)}
      />
    </>
  );
}

function* plainTexts(lines: readonly Line[]): Generator<string> {
  for (const line of lines) yield plain(line.text);
}

function Hits({ count, at, step }: { count: number; at: number; step: (by: number) => void }) {
  return (
    <>
      <span class="note" role="status">
        {count ? `${(Math.min(at, count - 1) + 1).toLocaleString()} of ${count.toLocaleString()}` : "Not found"}
      </span>
      <Button kind="plain" aria-label="Previous line found" disabled={!count} onClick={() => step(-1)}>
        ↑
      </Button>
      <Button kind="plain" aria-label="Next line found" disabled={!count} onClick={() => step(1)}>
        ↓
      </Button>
    </>
  );
}
