/** A file: what it is, its preview, where it came from, and which iterations have read it. */
import type { components } from "../api/operations.ts";
import { urlOf } from "../api/url.ts";
import { Link, Section } from "../components/basics.tsx";
import { CopyButton } from "../components/copy.tsx";
import { DeleteButton } from "../components/delete-button.tsx";
import { Download } from "../components/download.tsx";
import { formatBytes } from "../components/format.ts";
import { type Changes, ObjectHead } from "../components/object-head.tsx";
import { Pending } from "../components/pending.tsx";
import { IterationLink } from "../components/references.tsx";
import { Time } from "../components/time.tsx";
import { FilesInUse } from "../models/files-in-use.tsx";
import { Iterations } from "../models/lineage.tsx";
import { api } from "../state/api.ts";
import { useHeading } from "../state/heading.ts";
import { type Rights, rightsOn } from "../state/rights.ts";
import { go } from "../state/route.ts";
import { SECRET, showsExperiment } from "../state/share.ts";
import { cache, useGet, useList } from "../state/use.ts";
import { Author } from "./iteration/author.tsx";
import { Preview } from "./iteration/preview.tsx";
import { useExperiment } from "./parents.ts";
import type { PageProps } from "./registry.ts";

type Resource = components["schemas"]["Resource"];
const PATH = "/resources/{resource_id}";

export default function ResourcePage({ ids }: PageProps) {
  const { data, error } = useGet(PATH, { ids: { resource_id: ids.resourceId ?? "" } });
  return data && !error ? <ResourceShown resource={data} /> : <Pending error={error} />;
}

function ResourceShown({ resource }: { resource: Resource }) {
  const { experiment, crumbs } = useExperiment(resource.experiment_id);
  useHeading(resource.name, crumbs);
  const projectId = experiment?.project_id;
  return (
    <>
      <Head resource={resource} rights={rightsOn(projectId)} />
      <dl class="facts">
        <dt>State</dt>
        <dd>{resource.state === "ready" ? "stored" : "The upload is not complete."}</dd>
        <dt>Size</dt>
        <dd>
          <Size bytes={resource.size_bytes} />
        </dd>
        <dt>Type</dt>
        <dd>{resource.content_type}</dd>
        <dt>SHA-256</dt>
        <dd class="control">
          <code>{resource.content_hash}</code>
          <CopyButton text={resource.content_hash} />
        </dd>
        {resource.iteration_id ? (
          <>
            <dt>Iteration</dt>
            <dd>
              <IterationLink id={resource.iteration_id} />
            </dd>
          </>
        ) : null}
        {showsExperiment(resource.experiment_id) ? (
          <>
            <dt>Experiment</dt>
            <dd>{experiment ? <Link to={`/experiments/${experiment.id}`}>{experiment.name}</Link> : "…"}</dd>
          </>
        ) : null}
        <dt>Created</dt>
        <dd>
          <Time at={resource.created_date} />
          {resource.created_by ? <Author id={resource.created_by} projectId={projectId} /> : null}
        </dd>
      </dl>
      {SECRET ? null : <Uses resourceId={resource.id} />}
      {resource.state === "ready" ? (
        <Section title="Preview">
          <div class="preview">
            <Preview key={resource.id} file={resource} />
          </div>
        </Section>
      ) : null}
    </>
  );
}

/** Rounded, and in bytes where that is another number. */
function Size({ bytes }: { bytes: number }) {
  const [rounded, exact] = [formatBytes(bytes), `${bytes.toLocaleString("en-US")} bytes`];
  return (
    <>
      {rounded} {rounded === exact ? null : <span class="note">{exact}</span>}
    </>
  );
}

function Head({ resource, rights }: { resource: Resource; rights: Rights }) {
  const given = { ids: { resource_id: resource.id } };
  const save = async ({ name, description }: Changes) => {
    const body = { ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }) };
    cache.put(urlOf(PATH, given.ids), await api.patch(PATH, { ...given, body }));
  };
  const remove = async () => {
    await api.delete(PATH, given);
    cache.invalidate(`/experiments/${resource.experiment_id}/resources`);
    if (resource.iteration_id) go(`/iterations/${resource.iteration_id}`, { tab: "files" });
    else go(`/experiments/${resource.experiment_id}`);
  };
  return (
    <ObjectHead
      title={resource.name}
      name={resource.name}
      description={resource.description}
      may={rights.update}
      save={save}
      actions={
        <>
          <Download resource={resource} />
          {rights.delete ? (
            <DeleteButton what="file" name={resource.name} remove={remove}>
              <FilesInUse experimentId={resource.experiment_id} deleted={{ resourceId: resource.id }} />
            </DeleteButton>
          ) : null}
        </>
      }
    />
  );
}

function Uses({ resourceId }: { resourceId: string }) {
  const uses = useList("/resources/{resource_id}/uses", { ids: { resource_id: resourceId } });
  return (
    <Section title="Read by" count={uses.data?.length}>
      <Iterations list={uses} none="No iteration has said that it read this file." />
    </Section>
  );
}
