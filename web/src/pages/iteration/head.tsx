/** What the iteration is, how it does, and what can be done with it. */
import { CopyButton } from "../../components/copy.tsx";
import { DeleteButton } from "../../components/delete-button.tsx";
import { EditableText } from "../../components/editable.tsx";
import { Labels } from "../../components/labels.tsx";
import { LinkedText } from "../../components/linked-text.tsx";
import { IterationLink } from "../../components/references.tsx";
import { ShareButton } from "../../components/share.tsx";
import { IterationStatus } from "../../components/status.tsx";
import { Duration, Time } from "../../components/time.tsx";
import { FilesInUse } from "../../models/files-in-use.tsx";
import { api } from "../../state/api.ts";
import { go } from "../../state/route.ts";
import { SECRET } from "../../state/share.ts";
import { cache } from "../../state/use.ts";
import { Alerts } from "./alerts.tsx";
import { Author } from "./author.tsx";
import { EndAndCommands, StopButton } from "./commands.tsx";
import type { Iteration, PartProps } from "./part.ts";
import { save } from "./save.ts";
import { Tags } from "./tags.tsx";

export function Head(props: PartProps) {
  const { iteration, rights, running, projectId } = props;
  return (
    <header class="iteration-head">
      <div class="object-title">
        <EditableText
          label="Name"
          value={iteration.name ?? ""}
          may={rights.update}
          save={(name) => save(iteration.id, { name })}
        >
          <h1>{iteration.name}</h1>
        </EditableText>
        <div class="actions">
          {running && rights.update ? <StopButton {...props} /> : null}
          {SECRET || !hasEnvironment(iteration) ? null : (
            <CopyButton label="Copy restore command" text={`deardiary restore ${iteration.id} restored`} />
          )}
          {rights.update && projectId ? (
            <ShareButton projectId={projectId} shared={{ iterationIds: [iteration.id] }} />
          ) : null}
          {rights.delete ? (
            <DeleteButton
              what="iteration"
              name={iteration.name ?? iteration.id}
              and="with its values and its files"
              remove={() => remove(iteration)}
            >
              <FilesInUse experimentId={iteration.experiment_id} deleted={{ iterationIds: new Set([iteration.id]) }} />
            </DeleteButton>
          ) : null}
        </div>
      </div>
      <ul class="iteration-facts">
        <li>
          <IterationStatus id={iteration.status_id} />
        </li>
        <li>
          Started <Time at={iteration.created_date} />
          {iteration.created_by ? <Author id={iteration.created_by} projectId={projectId} /> : null}
        </li>
        {iteration.parent_iteration_id && !SECRET ? (
          <li>
            Child of <IterationLink id={iteration.parent_iteration_id} />
          </li>
        ) : null}
        <li>
          {iteration.end_date ? "Took " : "Has run for "}
          <Duration from={iteration.created_date} to={iteration.end_date ?? null} />
        </li>
        <li>
          <code>{iteration.id}</code>
          <CopyButton label="Copy id" text={iteration.id} />
        </li>
      </ul>
      <EndAndCommands {...props} />
      <Alerts {...props} />
      <div class="iteration-words">
        <Tags {...props} />
        <Labels labels={iteration.labels} may={rights.update} save={(labels) => save(iteration.id, { labels })} />
        <div class="words">
          <span class="words-title">Notes</span>
          <EditableText
            label="Notes"
            value={iteration.notes}
            may={rights.update}
            long
            save={(notes) => save(iteration.id, { notes })}
          >
            {iteration.notes ? (
              <p class="notes">
                <LinkedText text={iteration.notes} />
              </p>
            ) : (
              <span class="note">none</span>
            )}
          </EditableText>
        </div>
      </div>
    </header>
  );
}

/** Something that can be restored was captured. */
function hasEnvironment({ python_version, julia_version, git_sha, entrypoint }: Iteration): boolean {
  return [python_version, julia_version, git_sha, entrypoint].some(Boolean);
}

async function remove({ id, experiment_id }: Iteration): Promise<void> {
  await api.delete("/iterations/{iteration_id}", { ids: { iteration_id: id } });
  cache.invalidate(`/experiments/${encodeURIComponent(experiment_id)}/iterations`);
  go(`/experiments/${experiment_id}`);
}
