/** In the dialog of a deletion: the model versions whose file goes with it. */
import type { components } from "../api/operations.ts";
import { PRODUCTION } from "../api/words.ts";
import { UNDO_DAYS } from "../state/undo.ts";
import { useGet, useList } from "../state/use.ts";

type Version = components["schemas"]["ModelVersion"];
const MOST = 5;

interface Props {
  iterationId: string;
  /** Only versions of this file; otherwise of all files of the iteration. */
  resourceId?: string;
}

export function FilesInUse({ iterationId, resourceId }: Props) {
  const { data } = useList("/iterations/{iteration_id}/modelversions", { ids: { iteration_id: iterationId } });
  const found = (data ?? [])
    .filter((each) => (resourceId ? each.resource_id === resourceId : each.resource_id))
    .toSorted((a, b) => Number(b.stage_id === PRODUCTION) - Number(a.stage_id === PRODUCTION));
  if (!found.length) return null;
  return (
    <div class="in-use" role="status">
      {found.slice(0, MOST).map((each) => (
        <InUse key={each.id} version={each} what={resourceId ? "file" : "iteration"} />
      ))}
      {found.length > MOST ? <p>And {(found.length - MOST).toLocaleString()} more versions.</p> : null}
    </div>
  );
}

function InUse({ version, what }: { version: Version; what: "file" | "iteration" }) {
  const model = useGet("/models/{model_id}", { ids: { model_id: version.model_id } }).data;
  return (
    <p>
      <strong>
        Version {version.version} of <bdi>{model?.name ?? "a model"}</bdi>
      </strong>
      {version.stage_id === PRODUCTION ? ", in production," : ""} has{" "}
      {what === "file" ? "this file" : "a file of this iteration"}. It cannot be downloaded{" "}
      {UNDO_DAYS === 0 ? "any more" : `while the ${what} is in the trash`}.
    </p>
  );
}
