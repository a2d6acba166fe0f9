/** The files of the iteration: a list, and the preview of the one that the URL names. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button, Empty, Link, Loading } from "../../components/basics.tsx";
import { Download } from "../../components/download.tsx";
import { ErrorBox } from "../../components/error-box.tsx";
import { countOf, formatBytes } from "../../components/format.ts";
import { KeyText } from "../../components/key-text.tsx";
import { RegisterFile } from "../../models/register-file.tsx";
import { hashOf } from "../../state/location.ts";
import { location } from "../../state/route.ts";
import { byKey, includes } from "./find.ts";
import type { PartProps, Schemas } from "./part.ts";
import { Preview } from "./preview.tsx";
import { besides, type Step, seriesOf, stepOf } from "./steps.ts";
import { Steps } from "./steps.tsx";
import { useFiles } from "./use-files.ts";

type Resource = Schemas["Resource"];
const MOST = 300;

export default function Files(props: PartProps) {
  const { iteration, projectId, rights } = props;
  const list = useFiles(props);
  if (list.error && !list.data) return <ErrorBox error={list.error} retry={list.reload} />;
  if (!list.data) return <Loading />;
  if (!list.data.length) return <Empty title="No files">They appear here when the program logs a file.</Empty>;
  const mayRegister = rights.create && projectId !== undefined;
  return (
    <Listed
      files={list.data.toSorted((a, b) => byKey(a.name, b.name))}
      acts={(file) =>
        mayRegister && file.state === "ready" && !stepOf(file.name) ? (
          <RegisterFile key={file.id} file={file} iterationId={iteration.id} projectId={projectId} />
        ) : null
      }
    />
  );
}

/** What can be done with a file, beside its download. */
type Acts = (file: Resource) => ComponentChildren;

function Listed({ files, acts }: { files: Resource[]; acts: Acts }) {
  const [find, setFind] = useState("");
  const [all, setAll] = useState(false);
  const found = files.filter((each) => includes(find, each.name, each.description));
  const chosen = files.find((each) => each.id === location.value.query.file);
  const series = chosen ? seriesOf(chosen, files) : undefined;
  return (
    <div class={`files ${chosen ? "has-preview" : ""}`}>
      <div class="files-list">
        <input
          type="search"
          class="find"
          aria-label="Find files"
          placeholder={`Find in ${countOf(files.length, "file")}`}
          value={find}
          onInput={(event) => setFind(event.currentTarget.value)}
        />
        <ul aria-label="Files">
          {(all ? found : found.slice(0, MOST)).map((each) => (
            <File key={each.id} file={each} isChosen={each.id === chosen?.id} />
          ))}
        </ul>
        {!all && found.length > MOST ? (
          <Button onClick={() => setAll(true)}>Show all {found.length.toLocaleString()}</Button>
        ) : null}
        {found.length ? null : <p class="note">No file fits the search.</p>}
      </div>
      {chosen ? (
        <section class="preview" aria-label="Preview">
          <Title file={chosen} acts={acts} />
          {series ? <Steps series={series} chosen={chosen} /> : null}
          <Previews key={series ? "series" : chosen.id} files={besides(chosen, files)} series={series} />
        </section>
      ) : null}
    </div>
  );
}

/** One file, or the images of one step beside each other, each with its caption. */
function Previews({ files, series }: { files: readonly Resource[]; series: Step<Resource>[] | undefined }) {
  const [first, ...others] = files;
  if (!first) return null;
  if (!others.length) return <Preview file={first} series={series} />;
  return (
    <ul class="preview-beside">
      {[first, ...others].map((each) => (
        <li key={stepOf(each.name)?.index}>
          <Preview file={each} />
          <span class="note">{each.description}</span>
        </li>
      ))}
    </ul>
  );
}

function File({ file, isChosen }: { file: Resource; isChosen: boolean }) {
  const { path, query } = location.value;
  return (
    <li>
      <a
        href={hashOf(path, { ...query, file: file.id })}
        aria-current={isChosen ? "true" : undefined}
        title={file.name}
      >
        <KeyText text={file.name} />
      </a>
      <span class="number">{file.state === "ready" ? formatBytes(file.size_bytes) : "being stored"}</span>
    </li>
  );
}

/** A file without a type of its own is stored as "some bytes". */
function isKnown(type: string | undefined): boolean {
  return !!type && type !== "application/octet-stream";
}

function Title({ file, acts }: { file: Resource; acts: Acts }) {
  return (
    <header class="preview-head">
      <h2>
        <Link to={`/resources/${file.id}`}>{file.name}</Link>
      </h2>
      <p class="note">
        {isKnown(file.content_type) ? `${file.content_type} · ` : ""}
        <span title={file.content_hash}>sha256 {file.content_hash.slice(0, 12)}</span>
      </p>
      {file.description ? <p>{file.description}</p> : null}
      <div class="actions">
        <Download resource={file} />
        {acts(file)}
      </div>
    </header>
  );
}
