/** A model: its versions, which of them is in production, and their aliases. */
import type { components } from "../api/operations.ts";
import { Empty, Loading, Section } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { Pending } from "../components/pending.tsx";
import { Labels } from "../models/labels.tsx";
import { Versions } from "../models/versions.tsx";
import { useHeading } from "../state/heading.ts";
import { rightsOn } from "../state/rights.ts";
import { useGet, useList } from "../state/use.ts";
import type { PageProps } from "./registry.ts";

type Model = components["schemas"]["Model"];

export default function ModelPage({ ids }: PageProps) {
  const { data, error } = useGet("/models/{model_id}", { ids: { model_id: ids.modelId ?? "" } });
  return data && !error ? <ModelShown model={data} /> : <Pending error={error} />;
}

function ModelShown({ model }: { model: Model }) {
  const project = useGet("/projects/{project_id}", { ids: { project_id: model.project_id } });
  useHeading(model.name, [project.data && { label: project.data.name, to: `/projects/${model.project_id}` }]);
  const versions = useList("/models/{model_id}/versions", { ids: { model_id: model.id } });
  return (
    <>
      <h1>{model.name}</h1>
      {model.description ? <p class="description">{model.description}</p> : null}
      <Labels labels={model.labels} />
      <Section title="Versions" count={versions.data?.length}>
        {versions.error ? <ErrorBox error={versions.error} retry={versions.reload} /> : null}
        {!versions.data && !versions.error ? <Loading /> : null}
        {versions.data?.length ? (
          <Versions model={model} versions={versions.data} rights={rightsOn(model.project_id)} />
        ) : (
          versions.data && <Empty title="No versions yet">An iteration adds one with register_model(…).</Empty>
        )}
      </Section>
    </>
  );
}
