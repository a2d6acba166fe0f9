/** Labels of an object; with update permission they are added and removed in place. */
import { useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";
import { Button } from "./basics.tsx";

/** By key; null removes a label. */
export type LabelChanges = Record<string, string | null>;

interface LabelsProps {
  labels: Readonly<Record<string, string>> | undefined;
  may: boolean;
  save: (changes: LabelChanges) => Promise<unknown>;
}

export function Labels({ labels, may, save }: LabelsProps) {
  const [error, setError] = useState<string>();
  const [open, setOpen] = useState(false);
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => a.localeCompare(b));
  const change = (changes: LabelChanges) =>
    save(changes).then(
      () => {
        setError(undefined);
        setOpen(false);
      },
      (reason) => setError(messageOf(reason)),
    );
  if (!entries.length && !may) return null;
  return (
    <div class="words">
      <span class="words-title">Labels</span>
      <div class="words-body">
        {entries.map(([key, value]) => (
          <span class="tag" key={key} title={`${key}: ${value}`}>
            <bdi class="tag-text">
              {key}: {value}
            </bdi>
            {may ? (
              <button
                type="button"
                class="tag-remove"
                aria-label={`Remove the label ${key}`}
                onClick={() => change({ [key]: null })}
              >
                ×
              </button>
            ) : null}
          </span>
        ))}
        {may && !open ? (
          <button type="button" class="edit" onClick={() => setOpen(true)}>
            Add a label
          </button>
        ) : null}
        {open ? <NewLabel add={change} cancel={() => setOpen(false)} /> : null}
        {error ? (
          <span class="field-error" role="alert">
            {error}
          </span>
        ) : null}
      </div>
    </div>
  );
}

function NewLabel({ add, cancel }: { add: (changes: LabelChanges) => void; cancel: () => void }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    if (key.trim()) add({ [key.trim()]: value });
  };
  const leave = (event: KeyboardEvent) => {
    if (event.key === "Escape") cancel();
  };
  return (
    <form class="new-word" onSubmit={submit} onKeyDown={leave}>
      <input
        ref={(element) => {
          if (element && !element.form?.contains(document.activeElement)) element.focus();
        }}
        aria-label="Key of the label"
        placeholder="key"
        value={key}
        onInput={(event) => setKey(event.currentTarget.value)}
      />
      <input
        aria-label="Value of the label"
        placeholder="value"
        value={value}
        onInput={(event) => setValue(event.currentTarget.value)}
      />
      <Button type="submit">Add</Button>
    </form>
  );
}
