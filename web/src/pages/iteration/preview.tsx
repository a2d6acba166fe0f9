/** A file as its kind is best read. Its bytes are fetched when it is shown, below a limit for each kind. */
import { useEffect, useState } from "preact/hooks";
import { Button, Empty, Loading } from "../../components/basics.tsx";
import { ErrorBox } from "../../components/error-box.tsx";
import { formatBytes } from "../../components/format.ts";
import { lazy } from "../../components/lazy.tsx";
import { bytesOf } from "./bytes.ts";
import { MOST_COLUMNS, MOST_ROWS, parseCsv } from "./csv.ts";
import { histogramOf } from "./histogram.ts";
import { Histogram } from "./histogram.tsx";
import { prettyJson } from "./json.ts";
import { type Kind, kindOf, LIMITS, mediaType } from "./kind.ts";
import type { Schemas } from "./part.ts";
import type { Step } from "./steps.ts";

type Resource = Schemas["Resource"];
const Markdown = lazy<{ text: string }>(() => import("./markdown.tsx"));

interface Props {
  file: Resource;
  /** The same thing at other steps. */
  series?: readonly Step<Resource>[] | undefined;
}

export function Preview({ file, series }: Props) {
  const kind = kindOf(file);
  if (file.state !== "ready") return null;
  if (kind === "none") return <Empty title="No preview">Files of this kind are only for download.</Empty>;
  if (file.size_bytes > LIMITS[kind]) {
    const limit = formatBytes(LIMITS[kind]);
    return <Empty title="Too large to be shown">Files of this kind are shown up to {limit}.</Empty>;
  }
  return <Shown file={file} kind={kind} series={series} />;
}

function Shown({ file, kind, series }: Props & { kind: Exclude<Kind, "none"> }) {
  const { blob, error } = useBytes(file.id);
  if (error) return <ErrorBox error={error} />;
  if (!blob) return <Loading />;
  if (kind === "image" || kind === "sound" || kind === "video") return <Media file={file} kind={kind} blob={blob} />;
  return <Words file={file} kind={kind} blob={blob} series={series} />;
}

/** The last file stays until the next one is here, so that a slider does not flicker. */
function useBytes(id: string): { blob?: Blob | undefined; error?: unknown } {
  const [state, setState] = useState<{ blob?: Blob; error?: unknown }>({});
  useEffect(() => {
    const left = new AbortController();
    bytesOf(id, left.signal).then(
      (blob) => left.signal.aborted || setState({ blob }),
      (error) => left.signal.aborted || setState({ error }),
    );
    return () => left.abort();
  }, [id]);
  return state;
}

function Media({ file, kind, blob }: { file: Resource; kind: "image" | "sound" | "video"; blob: Blob }) {
  const [url, setUrl] = useState<string>();
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    // As an image an SVG runs no script, and loads nothing.
    const fresh = URL.createObjectURL(new Blob([blob], { type: mediaType(file) }));
    setUrl(fresh);
    setBroken(false);
    return () => URL.revokeObjectURL(fresh);
  }, [blob]);
  if (broken) return <Empty title={`No ${kind}`}>The browser cannot show these bytes as {kind}.</Empty>;
  if (!url) return null;
  const [name, fail] = [file.description || file.name, () => setBroken(true)];
  if (kind === "image") return <img class="preview-image" src={url} alt={name} onError={fail} />;
  // biome-ignore lint/a11y/useMediaCaption: nobody has written captions for what a training produces
  if (kind === "sound") return <audio class="preview-sound" controls src={url} aria-label={name} onError={fail} />;
  // biome-ignore lint/a11y/useMediaCaption: as above
  return <video class="preview-image" controls src={url} aria-label={name} onError={fail} />;
}

type Written = Exclude<Kind, "none" | "image" | "sound" | "video">;

function Words({ file, kind, blob, series }: Props & { kind: Written; blob: Blob }) {
  const [text, setText] = useState<string>();
  const [source, setSource] = useState(false);
  useEffect(() => {
    blob.text().then(setText);
  }, [blob]);
  if (text === undefined) return <Loading />;
  const plain = kind === "text" || source;
  return (
    <>
      {kind === "text" ? null : (
        <label class="check">
          <input type="checkbox" checked={source} onChange={(event) => setSource(event.currentTarget.checked)} /> As it
          is stored
        </label>
      )}
      {plain ? <Text text={text} /> : <Formatted kind={kind} text={text} name={file.name} series={series} />}
    </>
  );
}

interface FormattedProps extends Pick<Props, "series"> {
  kind: "json" | "csv" | "markdown";
  text: string;
  name: string;
}

function Formatted({ kind, text, name, series }: FormattedProps) {
  if (kind === "markdown") return <Markdown text={text} />;
  if (kind === "csv") return <Csv text={text} name={name} />;
  const histogram = histogramOf(text);
  if (histogram) return <Histogram histogram={histogram} name={name} series={series} />;
  const pretty = prettyJson(text);
  return pretty === undefined ? (
    <>
      <p class="note">This is not JSON.</p>
      <Text text={text} />
    </>
  ) : (
    <Text text={pretty} />
  );
}

const MOST_CHARACTERS = 200_000;

function Text({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const cut = !all && text.length > MOST_CHARACTERS;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard */}
      <pre class="preview-text" tabIndex={0}>
        {cut ? text.slice(0, MOST_CHARACTERS) : text}
      </pre>
      {cut ? <Button onClick={() => setAll(true)}>Show all {text.length.toLocaleString()} characters</Button> : null}
    </>
  );
}

function Csv({ text, name }: { text: string; name: string }) {
  const { head, rows, total, columns } = parseCsv(text, name.toLowerCase().endsWith(".tsv"));
  return (
    <>
      <p class="note">
        {rows.length < total ? `${MOST_ROWS.toLocaleString()} of ` : ""}
        {total.toLocaleString()} rows · {columns > MOST_COLUMNS ? `${MOST_COLUMNS} of ` : ""}
        {columns.toLocaleString()} columns
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard */}
      <section class="scroll preview-table" tabIndex={0} aria-label={name}>
        <table class="table">
          <thead>
            <tr>
              {head.map((each, index) => (
                <th scope="col" key={index} class={isNumber(rows[0]?.[index] ?? "") ? "number" : ""}>
                  {each}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, column) => (
                  <td key={column} class={isNumber(cell) ? "number" : "clip"}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

function isNumber(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}
