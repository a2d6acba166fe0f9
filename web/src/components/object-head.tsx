/** The head of a page about one object: name, description and labels, changed in place, and what can be done with it. */
import type { ComponentChildren } from "preact";
import { EditableText } from "./editable.tsx";
import { type LabelChanges, Labels } from "./labels.tsx";
import { LinkedText } from "./linked-text.tsx";

export interface Changes {
  name?: string;
  description?: string;
  labels?: LabelChanges;
}

interface ObjectHeadProps {
  title: ComponentChildren;
  /** Undefined where the name is not one's own to change. */
  name?: string;
  description: string;
  /** Undefined for a kind that has no labels. */
  labels?: Readonly<Record<string, string>>;
  /** The user may update it. */
  may: boolean;
  save: (changes: Changes) => Promise<unknown>;
  actions?: ComponentChildren;
}

export function ObjectHead({ title, name, description, labels, may, save, actions }: ObjectHeadProps) {
  return (
    <header class="object-head">
      <div class="object-title">
        <EditableText
          label="Name"
          value={name ?? ""}
          may={may && name !== undefined}
          save={(changed) => save({ name: changed })}
        >
          <h1>{title}</h1>
        </EditableText>
        {actions ? <div class="actions">{actions}</div> : null}
      </div>
      <div class="object-words">
        {description || may ? (
          <EditableText
            label="Description"
            action={description ? "Edit" : "Add a description"}
            value={description}
            may={may}
            long
            save={(changed) => save({ description: changed })}
          >
            {description ? (
              <p class="description">
                <LinkedText text={description} />
              </p>
            ) : null}
          </EditableText>
        ) : null}
        {labels ? <Labels labels={labels} may={may} save={(changes) => save({ labels: changes })} /> : null}
      </div>
    </header>
  );
}
