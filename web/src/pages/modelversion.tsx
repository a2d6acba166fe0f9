/** A version of a model: its stage and aliases, and its lineage both ways. */
import type { components } from "../api/operations.ts";
import { Pending } from "../components/pending.tsx";
import { Time } from "../components/time.tsx";
import { Labels } from "../models/labels.tsx";
import { Origin, Uses } from "../models/lineage.tsx";
import { Aliases, StageControl } from "../models/versions.tsx";
import { useHeading } from "../state/heading.ts";
import { rightsOn } from "../state/rights.ts";
import { useGet } from "../state/use.ts";
import type { PageProps } from "./registry.ts";

type Version = components["schemas"]["ModelVersion"];
type Model = components["schemas"]["Model"];

export default function ModelVersionPage({ ids }: PageProps) {
  const version = useGet("/modelversions/{version_id}", { ids: { version_id: ids.versionId ?? "" } });
  return version.data && !version.error ? <WithModel version={version.data} /> : <Pending error={version.error} />;
}

function WithModel({ version }: { version: Version }) {
  const { data, error } = useGet("/models/{model_id}", { ids: { model_id: version.model_id } });
  return data && !error ? <VersionShown version={version} model={data} /> : <Pending error={error} />;
}

function VersionShown({ version, model }: { version: Version; model: Model }) {
  useHeading(`Version ${version.version}`, [{ label: model.name, to: `/models/${model.id}` }]);
  const rights = rightsOn(model.project_id);
  return (
    <>
      <h1>
        {model.name}, version {version.version}
      </h1>
      <p class="note">
        Created <Time at={version.created_date} />
      </p>
      {version.description ? <p class="description">{version.description}</p> : null}
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
      </dl>
      <Labels labels={version.labels} />
      <Origin version={version} />
      <Uses version={version} />
    </>
  );
}
