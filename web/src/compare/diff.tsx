/** One difference of two iterations, line by line: parameters, lock file and code. */
import { useMemo, useState } from "preact/hooks";
import { Button, Loading } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { SECRET } from "../state/share.ts";
import { useGet } from "../state/use.ts";
import { parametersText } from "./differences.ts";
import { diffLines, type Piece } from "./lines.ts";
import type { Compared } from "./read.ts";

const CONTEXT = 3;
// More lines of one file than this are shown on demand.
const FIRST = 1000;
const FILES = [
  ["project_toml", "Direct dependencies"],
  ["manifest_toml", "Lock file"],
  ["git_diff", "Uncommitted changes"],
] as const;

export function CompareDiff({ from, to }: { from: Compared; to: Compared }) {
  const before = useGet(
    "/iterations/{iteration_id}/snapshot",
    { ids: { iteration_id: from.iteration.id } },
    { when: !SECRET },
  );
  const after = useGet(
    "/iterations/{iteration_id}/snapshot",
    { ids: { iteration_id: to.iteration.id } },
    { when: !SECRET },
  );
  const error = before.error ?? after.error;
  return (
    <div class="diff">
      <FileDiff title="Parameters" before={parametersText(from.parameters)} after={parametersText(to.parameters)} />
      <Commits from={from} to={to} />
      {error ? <ErrorBox error={error} /> : null}
      {before.data && after.data
        ? FILES.map(([field, title]) => (
            <FileDiff
              key={field}
              title={title}
              before={before.data?.[field] ?? null}
              after={after.data?.[field] ?? null}
            />
          ))
        : !error && !SECRET && <Loading what="Reading the snapshots" />}
    </div>
  );
}

function Commits({ from, to }: { from: Compared; to: Compared }) {
  const [before, after] = [from.iteration.git_sha, to.iteration.git_sha];
  if (!before && !after) return null;
  return (
    <section>
      <h3>Commit</h3>
      {before === after ? (
        <p class="note">
          Both ran <code>{before}</code>.
        </p>
      ) : (
        <>
          <pre class="diff-lines">
            <DiffLine kind="removed" text={before || "none"} />
            <DiffLine kind="added" text={after || "none"} />
          </pre>
          {before && after ? (
            <p class="note">
              In the repository, <code>git diff {`${before.slice(0, 12)} ${after.slice(0, 12)}`}</code> shows what is
              between them. The uncommitted changes below are relative to their own commits.
            </p>
          ) : null}
        </>
      )}
    </section>
  );
}

function FileDiff({ title, before, after }: { title: string; before: string | null; after: string | null }) {
  const pieces = useMemo(() => diffLines(before ?? "", after ?? ""), [before, after]);
  const [whole, setWhole] = useState(false);
  const changed = (kind: Piece["kind"]) =>
    pieces.reduce((sum, each) => sum + (each.kind === kind ? each.lines.length : 0), 0);
  const [removed, added] = [changed("removed"), changed("added")];
  return (
    <section aria-label={title}>
      <h3>
        {title}{" "}
        {removed + added ? (
          <span class="count">
            −{removed.toLocaleString()} +{added.toLocaleString()}
          </span>
        ) : null}
      </h3>
      {removed + added ? (
        <>
          <Lines pieces={pieces} whole={whole} />
          {pieces.some((each) => each.kind === "equal" && each.lines.length > 2 * CONTEXT) ? (
            <Button kind="plain" aria-expanded={whole} onClick={() => setWhole(!whole)}>
              {whole ? "Hide the equal lines" : "Show the equal lines too"}
            </Button>
          ) : null}
        </>
      ) : (
        <p class="note">{before === null && after === null ? "Neither has any." : "Equal."}</p>
      )}
    </section>
  );
}

interface DrawnLine {
  kind: Piece["kind"] | "left-out";
  text: string;
}

function Lines({ pieces, whole }: { pieces: readonly Piece[]; whole: boolean }) {
  const [most, setMost] = useState(FIRST);
  const lines = useMemo(
    () => pieces.flatMap((piece, at) => linesOf(piece, whole, at === 0, at === pieces.length - 1)),
    [pieces, whole],
  );
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll, also by keyboard */}
      <pre class="diff-lines" tabIndex={0}>
        {lines.slice(0, most).map((each, at) => (
          <DiffLine key={at} {...each} />
        ))}
      </pre>
      {lines.length > most ? (
        <Button onClick={() => setMost(most + 10 * FIRST)}>
          Show more: {(lines.length - most).toLocaleString()} lines are left
        </Button>
      ) : null}
    </>
  );
}

/** Equal lines far from a change are left out. */
function linesOf({ kind, lines }: Piece, whole: boolean, isFirst: boolean, isLast: boolean): DrawnLine[] {
  const drawn = lines.map((text) => ({ kind, text }));
  const head = isFirst ? 0 : CONTEXT;
  const tail = isLast ? 0 : CONTEXT;
  const left = lines.length - head - tail;
  if (kind !== "equal" || whole || left <= 1) return drawn;
  const gap: DrawnLine = { kind: "left-out", text: `${left.toLocaleString()} equal lines` };
  return [...drawn.slice(0, head), gap, ...drawn.slice(lines.length - tail)];
}

const SIGNS = { equal: " ", removed: "-", added: "+", "left-out": "⋯" };

function DiffLine({ kind, text }: DrawnLine) {
  const line = `${SIGNS[kind]} ${text}`;
  if (kind === "removed") return <del>{line}</del>;
  if (kind === "added") return <ins>{line}</ins>;
  return <span class={kind === "left-out" ? "note" : undefined}>{line}</span>;
}
