/** In the dialog of a deletion: the model versions that lose their file or iteration by it, the one in production first. */
import type { components } from "../api/operations.ts";
import { PRODUCTION } from "../api/words.ts";
import { ErrorBox } from "../components/error-box.tsx";
import { UNDO_DAYS } from "../state/undo.ts";
import { useList } from "../state/use.ts";

type Version = components["schemas"]["DependentVersion"];
const MOST = 5;

/** The object to delete: a file, iterations, or the whole experiment. */
export type Deleted = { resourceId: string } | { iterationIds: ReadonlySet<string> } | "experiment";

export function FilesInUse({ experimentId, deleted }: { experimentId: string; deleted: Deleted }) {
  const list = useList("/experiments/{experiment_id}/modelversions", { ids: { experiment_id: experimentId } });
  if (list.error) return <ErrorBox error={list.error} retry={list.reload} />;
  const found = (list.data ?? [])
    .filter((each) => losesFile(each, deleted) || losesIteration(each, deleted))
    .toSorted((a, b) => rank(a, deleted) - rank(b, deleted));
  if (!found.length) return null;
  return (
    <div class="in-use" role="status">
      {found.slice(0, MOST).map((each) => (
        <InUse key={each.id} version={each} deleted={deleted} />
      ))}
      {found.length > MOST ? <p>And {(found.length - MOST).toLocaleString()} more versions.</p> : null}
    </div>
  );
}

function losesFile({ resource_id, file_iteration_id }: Version, deleted: Deleted): boolean {
  if (!resource_id) return false;
  if (deleted === "experiment") return true;
  if ("resourceId" in deleted) return resource_id === deleted.resourceId;
  return !!file_iteration_id && deleted.iterationIds.has(file_iteration_id);
}

function losesIteration({ iteration_id }: Version, deleted: Deleted): boolean {
  if (!iteration_id) return false;
  return deleted === "experiment" || ("iterationIds" in deleted && deleted.iterationIds.has(iteration_id));
}

/** A lost file in production weighs most, an iteration least. */
function rank(version: Version, deleted: Deleted): number {
  return (version.stage_id === PRODUCTION ? 0 : 2) + (losesFile(version, deleted) ? 0 : 1);
}

function InUse({ version, deleted }: { version: Version; deleted: Deleted }) {
  const end = UNDO_DAYS === 0 ? "any more" : `while ${wordOf(deleted)} in the trash`;
  return (
    <p>
      <strong>
        Version {version.version} of <bdi>{version.model_name}</bdi>
      </strong>
      {version.stage_id === PRODUCTION ? ", in production," : ""}{" "}
      {losesFile(version, deleted)
        ? `has ${fileOf(deleted)}. It cannot be downloaded ${end}.`
        : `came from ${iterationOf(deleted)}. Its origin cannot be seen ${end}.`}
    </p>
  );
}

function isMany(deleted: Deleted): boolean {
  return deleted !== "experiment" && "iterationIds" in deleted && deleted.iterationIds.size > 1;
}

function wordOf(deleted: Deleted): string {
  if (deleted === "experiment") return "the experiment is";
  if ("resourceId" in deleted) return "the file is";
  return isMany(deleted) ? "these iterations are" : "the iteration is";
}

function fileOf(deleted: Deleted): string {
  if (deleted === "experiment") return "a file of this experiment";
  if ("resourceId" in deleted) return "this file";
  return isMany(deleted) ? "a file of these iterations" : "a file of this iteration";
}

function iterationOf(deleted: Deleted): string {
  if (deleted === "experiment") return "an iteration of this experiment";
  return isMany(deleted) ? "one of these iterations" : "this iteration";
}
