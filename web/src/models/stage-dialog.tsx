/** The stage of a version. The dialog says which version leaves production for it. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { PRODUCTION, STAGE } from "../api/words.ts";
import { Loading } from "../components/basics.tsx";
import { Confirm } from "../components/confirm.tsx";
import { api } from "../state/api.ts";
import { useList } from "../state/use.ts";
import { readAgain } from "./read-again.ts";

type Version = components["schemas"]["ModelVersion"];
type StageId = components["schemas"]["Stage"];

const STAGES = Object.keys(STAGE).map(Number) as StageId[];

export function StageDialog({ version, onClose }: { version: Version; onClose: () => void }) {
  const [stage, setStage] = useState<StageId>(version.stage_id);
  const change = async () => {
    await api.patch("/modelversions/{version_id}", { ids: { version_id: version.id }, body: { stage_id: stage } });
    readAgain(version.model_id);
  };
  const promotes = stage === PRODUCTION && stage !== version.stage_id;
  return (
    <Confirm
      title={`Stage of version ${version.version}`}
      action={promotes ? "Promote to production" : "Set the stage"}
      disabled={stage === version.stage_id}
      act={change}
      onClose={onClose}
    >
      <fieldset class="choices">
        <legend>Stage</legend>
        {STAGES.map((each) => (
          <label key={each}>
            <input type="radio" name="stage" checked={each === stage} onChange={() => setStage(each)} />
            {STAGE[each]}
          </label>
        ))}
      </fieldset>
      <div aria-live="polite">
        {promotes ? <Archived version={version} /> : null}
        {promotes && !version.resource_id ? <NoFile version={version} /> : null}
        {version.stage_id === PRODUCTION && stage !== PRODUCTION ? (
          <p>The model then has no version in production.</p>
        ) : null}
      </div>
    </Confirm>
  );
}

function NoFile({ version }: { version: Version }) {
  return (
    <p class="in-use">
      <strong>Version {version.version} has no file:</strong> nothing can be downloaded of it here.
    </p>
  );
}

/** Asked now: another user may have promoted a version since the page was opened. */
function Archived({ version }: { version: Version }) {
  const given = { ids: { model_id: version.model_id }, query: { stage: PRODUCTION } };
  const { data, loading } = useList("/models/{model_id}/versions", given);
  if (!data || loading) return <Loading what="Looking for the version in production" />;
  const [present] = data;
  if (!present) return <p>No version is in production now.</p>;
  return (
    <p>
      <strong>Version {present.version}</strong> is in production now. It is archived in the same moment.
    </p>
  );
}
