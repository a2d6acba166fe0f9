/** With what the iteration ran: versions, commit, lock file, changes that were not committed. */
import { useState } from "preact/hooks";
import { Button, Empty, Loading, Section } from "../../components/basics.tsx";
import { CopyButton, Snippet } from "../../components/copy.tsx";
import { ErrorBox } from "../../components/error-box.tsx";
import { countOf } from "../../components/format.ts";
import { useGet } from "../../state/use.ts";
import { type DiffLine, parseDiff } from "./diff.ts";
import type { PartProps, Schemas } from "./part.ts";

function Nothing() {
  return (
    <Empty title="No environment">
      <p>The program has not captured its code and environment. Either of these does:</p>
      <p>
        <code>deardiary.start(…, capture=["output", "environment"])</code> or{" "}
        <code>iteration.snapshot_environment()</code>
      </p>
    </Empty>
  );
}

export default function Environment({ iteration }: PartProps) {
  const snapshot = useGet("/iterations/{iteration_id}/snapshot", { ids: { iteration_id: iteration.id } });
  if (snapshot.error) return <ErrorBox error={snapshot.error} retry={snapshot.reload} />;
  if (!snapshot.data) return <Loading />;
  const found = snapshot.data;
  if (isEmpty(found)) return <Nothing />;
  return (
    <>
      <Snippet
        label="Restore the code and the environment"
        text={`deardiary restore ${iteration.id} restored --install`}
      />
      <Facts snapshot={found} />
      {found.git_diff ? <Diff text={found.git_diff} /> : null}
      <LongText title="Lock file" text={found.manifest_toml} />
      <LongText title="Project file" text={found.project_toml} />
    </>
  );
}

function isEmpty(found: Schemas["Snapshot"]): boolean {
  const { python_version, julia_version, git_sha, entrypoint, manifest_toml, project_toml, git_diff } = found;
  return ![python_version, julia_version, git_sha, entrypoint, manifest_toml, project_toml, git_diff].some(Boolean);
}

function Facts({ snapshot }: { snapshot: Schemas["Snapshot"] }) {
  const facts: [string, string][] = [
    ["Program", snapshot.entrypoint],
    ["Python", snapshot.python_version],
    ["Julia", snapshot.julia_version],
    ["Commit", snapshot.git_sha],
  ];
  return (
    <dl class="pairs-list">
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{value}</code>
              {name === "Commit" ? <CopyButton text={value} /> : null}
              {name === "Commit" && snapshot.git_dirty ? <span class="tag">with changes</span> : null}
            </dd>
          </div>
        ))}
    </dl>
  );
}

/** Lines shown at once; a lock file of 4 MiB has a hundred thousand. */
const MOST = 1000;

function Diff({ text }: { text: string }) {
  const lines = parseDiff(text);
  const added = lines.filter((each) => each.kind === "added").length;
  const removed = lines.filter((each) => each.kind === "removed").length;
  return (
    <Section title="Changes that were not committed" actions={<CopyButton text={text} label="Copy diff" />}>
      <p class="note">
        {countOf(added, "line")} added, {removed.toLocaleString("en-US")} removed
      </p>
      <Lines lines={lines} label="Changes that were not committed" />
    </Section>
  );
}

function LongText({ title, text }: { title: string; text: string | null | undefined }) {
  if (!text) return null;
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <Section title={title} actions={<CopyButton text={text} />}>
      <details>
        <summary>{countOf(lines.length, "line")}</summary>
        <Lines lines={lines.map((line) => ({ kind: "same", text: line }))} label={title} />
      </details>
    </Section>
  );
}

function Lines({ lines, label }: { lines: readonly DiffLine[]; label: string }) {
  const [all, setAll] = useState(false);
  const shown = all ? lines : lines.slice(0, MOST);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard */}
      <section class="code-lines" tabIndex={0} aria-label={label}>
        <code>
          {shown.map((line, index) => (
            <span key={index} class={`diff-${line.kind}`}>
              {line.text || " "}
            </span>
          ))}
        </code>
      </section>
      {shown.length < lines.length ? (
        <Button onClick={() => setAll(true)}>Show all {lines.length.toLocaleString()} lines</Button>
      ) : null}
    </>
  );
}
