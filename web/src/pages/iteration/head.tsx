/** What the iteration is, how it does, and what can be done with it. */
import { CopyButton } from "../../components/copy.tsx";
import { IterationStatus } from "../../components/status.tsx";
import { Duration, Time } from "../../components/time.tsx";
import { Author } from "./author.tsx";
import { Commands, StopButton } from "./commands.tsx";
import { DeleteButton } from "./delete.tsx";
import { EditableText } from "./editable.tsx";
import { Failure } from "./failure.tsx";
import { Labels } from "./labels.tsx";
import type { PartProps } from "./part.ts";
import { save } from "./save.ts";
import { Tags } from "./tags.tsx";

export function Head(props: PartProps) {
  const { iteration, rights, running, projectId } = props;
  return (
    <header class="iteration-head">
      <div class="iteration-title">
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
          <CopyButton label="Copy restore command" text={`deardiary restore ${iteration.id} restored`} />
          {rights.delete ? <DeleteButton {...props} /> : null}
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
        <li>
          {iteration.end_date ? "Took " : "Has run for "}
          <Duration from={iteration.created_date} to={iteration.end_date ?? null} />
        </li>
        <li>
          <code>{iteration.id}</code>
          <CopyButton label="Copy id" text={iteration.id} />
        </li>
      </ul>
      <Failure {...props} />
      <Commands {...props} />
      <div class="iteration-words">
        <Tags {...props} />
        <Labels {...props} />
        <EditableText
          label="Notes"
          value={iteration.notes}
          may={rights.update}
          long
          save={(notes) => save(iteration.id, { notes })}
        >
          {iteration.notes ? <p class="notes">{iteration.notes}</p> : <span class="note">No notes</span>}
        </EditableText>
      </div>
    </header>
  );
}
