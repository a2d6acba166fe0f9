/** A model: its versions, which of them is in production, and their aliases. */
import type { components } from "../api/operations.ts";
import { urlOf } from "../api/url.ts";
import { PRODUCTION } from "../api/words.ts";
import { Empty, Link } from "../components/basics.tsx";
import { DeleteButton } from "../components/delete-button.tsx";
import { ListSection } from "../components/listed.tsx";
import { type Changes, ObjectHead } from "../components/object-head.tsx";
import { Pending } from "../components/pending.tsx";
import { ResourceFile } from "../components/references.tsx";
import { CreateVersion } from "../models/create-version.tsx";
import { Versions } from "../models/versions.tsx";
import { api } from "../state/api.ts";
import { useHeading } from "../state/heading.ts";
import { rightsOn } from "../state/rights.ts";
import { go } from "../state/route.ts";
import { cache, useGet, useList } from "../state/use.ts";
import type { PageProps } from "./registry.ts";

type Model = components["schemas"]["Model"];
type Version = components["schemas"]["ModelVersion"];
const PATH = "/models/{model_id}";

export default function ModelPage({ ids }: PageProps) {
  const { data, error } = useGet(PATH, { ids: { model_id: ids.modelId ?? "" } });
  return data && !error ? <ModelShown model={data} /> : <Pending error={error} />;
}

function ModelShown({ model }: { model: Model }) {
  const project = useGet("/projects/{project_id}", { ids: { project_id: model.project_id } });
  useHeading(model.name, [project.data && { label: project.data.name, to: `/projects/${model.project_id}` }]);
  const given = { ids: { model_id: model.id } };
  const versions = useList("/models/{model_id}/versions", given);
  const rights = rightsOn(model.project_id);
  const save = async (body: Changes) => {
    const saved = await api.patch(PATH, { ...given, body });
    cache.put(urlOf(PATH, given.ids), saved);
  };
  const remove = async () => {
    await api.delete(PATH, given);
    cache.invalidate("/projects/");
    go(`/projects/${model.project_id}`);
  };
  return (
    <>
      <ObjectHead
        title={model.name}
        name={model.name}
        description={model.description}
        labels={model.labels ?? {}}
        may={rights.update}
        save={save}
        actions={
          rights.delete ? (
            <DeleteButton what="model" name={model.name} and="with all its versions" remove={remove} />
          ) : null
        }
      />
      <InProduction versions={versions.data ?? []} />
      <ListSection
        title="Versions"
        list={versions}
        actions={rights.create ? <CreateVersion model={model} /> : null}
        empty={<Empty title="No versions yet">An iteration adds one with register_model(…).</Empty>}
      >
        {(rows) => <Versions model={model} versions={rows} rights={rights} />}
      </ListSection>
    </>
  );
}

/** Of a thousand versions it may be far down in the table. */
function InProduction({ versions }: { versions: readonly Version[] }) {
  const version = versions.find((each) => each.stage_id === PRODUCTION);
  if (!version) return null;
  return (
    <dl class="facts">
      <dt>In production</dt>
      <dd class="file">
        <Link to={`/modelversions/${version.id}`}>Version {version.version}</Link>
        {version.resource_id ? <ResourceFile id={version.resource_id} /> : <span class="note">no file</span>}
      </dd>
    </dl>
  );
}
