/** A version of a model: its stage and aliases, and its lineage both ways. */
import type { components } from "../api/operations.ts";
import { urlOf } from "../api/url.ts";
import { DeleteButton } from "../components/delete-button.tsx";
import { type Changes, ObjectHead } from "../components/object-head.tsx";
import { Pending } from "../components/pending.tsx";
import { Time } from "../components/time.tsx";
import { Origin, Uses } from "../models/lineage.tsx";
import { readAgain } from "../models/read-again.ts";
import { Aliases, StageControl } from "../models/versions.tsx";
import { api } from "../state/api.ts";
import { useHeading } from "../state/heading.ts";
import { rightsOn } from "../state/rights.ts";
import { go } from "../state/route.ts";
import { cache, useGet } from "../state/use.ts";
import type { PageProps } from "./registry.ts";

type Version = components["schemas"]["ModelVersion"];
type Model = components["schemas"]["Model"];
const PATH = "/modelversions/{version_id}";

export default function ModelVersionPage({ ids }: PageProps) {
  const version = useGet(PATH, { ids: { version_id: ids.versionId ?? "" } });
  return version.data && !version.error ? <WithModel version={version.data} /> : <Pending error={version.error} />;
}

function WithModel({ version }: { version: Version }) {
  const { data, error } = useGet("/models/{model_id}", { ids: { model_id: version.model_id } });
  return data && !error ? <VersionShown version={version} model={data} /> : <Pending error={error} />;
}

function VersionShown({ version, model }: { version: Version; model: Model }) {
  const project = useGet("/projects/{project_id}", { ids: { project_id: model.project_id } });
  useHeading(`Version ${version.version}`, [
    project.data && { label: project.data.name, to: `/projects/${model.project_id}` },
    { label: model.name, to: `/models/${model.id}` },
  ]);
  const rights = rightsOn(model.project_id);
  const given = { ids: { version_id: version.id } };
  const save = async ({ description, labels }: Changes) => {
    const body = { ...(description === undefined ? {} : { description }), ...(labels ? { labels } : {}) };
    const saved = await api.patch(PATH, { ...given, body });
    cache.put(urlOf(PATH, given.ids), saved);
  };
  const remove = async () => {
    await api.delete(PATH, given);
    readAgain(model.id);
    go(`/models/${model.id}`);
  };
  const title = `${model.name}, version ${version.version}`;
  return (
    <>
      <ObjectHead
        title={title}
        description={version.description}
        labels={version.labels ?? {}}
        may={rights.update}
        save={save}
        actions={rights.delete ? <DeleteButton what="version" name={title} remove={remove} /> : null}
      />
      <dl class="facts">
        <dt>Stage</dt>
        <dd>
          <StageControl version={version} rights={rights} />
        </dd>
        <dt>Aliases</dt>
        <dd>
          {rights.update || version.aliases?.length ? (
            <Aliases model={model} version={version} rights={rights} />
          ) : (
            <span class="note">none</span>
          )}
        </dd>
        <dt>Created</dt>
        <dd>
          <Time at={version.created_date} />
        </dd>
      </dl>
      <Origin version={version} />
      <Uses version={version} />
    </>
  );
}
