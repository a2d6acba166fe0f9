/** Links to objects of which a page knows only the id. They may have been deleted meanwhile. */
import { useRef } from "preact/hooks";
import { ApiError, messageOf } from "../api/errors.ts";
import type { components } from "../api/operations.ts";
import { useSeen } from "../state/seen.ts";
import { useGet } from "../state/use.ts";
import { Link } from "./basics.tsx";
import { Download } from "./download.tsx";

/** The name of an iteration is read when it comes onto the screen. */
export function IterationLink({ id }: { id: string }) {
  const place = useRef<HTMLSpanElement>(null);
  const seen = useSeen(place);
  return <span ref={place}>{seen ? <KnownIteration id={id} /> : "…"}</span>;
}

/** The iteration of a version, or the text that MLflow sent as its run. */
export function RunLink({ version }: { version: components["schemas"]["ModelVersion"] }) {
  if (version.iteration_id) return <IterationLink id={version.iteration_id} />;
  return <bdi class="note clamp">{version.run_id || "none"}</bdi>;
}

function KnownIteration({ id }: { id: string }) {
  const { data, error } = useGet("/iterations/{iteration_id}", { ids: { iteration_id: id } });
  if (data) return <Link to={`/iterations/${id}`}>{data.name}</Link>;
  return error ? <Absent error={error} what="iteration" /> : <>…</>;
}

export function ResourceFile({ id }: { id: string }) {
  const place = useRef<HTMLDivElement>(null);
  const seen = useSeen(place);
  return (
    <div class="file" ref={place}>
      {seen ? <KnownResource id={id} /> : "…"}
    </div>
  );
}

function KnownResource({ id }: { id: string }) {
  const { data, error } = useGet("/resources/{resource_id}", { ids: { resource_id: id } });
  if (!data) return error ? <Absent error={error} what="file" /> : <>…</>;
  return (
    <>
      <Link class="clip" to={`/resources/${id}`}>
        <bdi>{data.name}</bdi>
      </Link>
      <Download resource={data} />
    </>
  );
}

function Absent({ error, what }: { error: unknown; what: string }) {
  const deleted = error instanceof ApiError && error.isNotFound;
  return (
    <span class="note" title={messageOf(error)}>
      {deleted ? `deleted ${what}` : messageOf(error)}
    </span>
  );
}
