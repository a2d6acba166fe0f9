import { useState } from "preact/hooks";
import { messageOf } from "../../api/errors.ts";
import { Button } from "../../components/basics.tsx";
import type { PartProps } from "./part.ts";
import { save } from "./save.ts";

export function Labels({ iteration, rights }: PartProps) {
  const [error, setError] = useState<string>();
  const [open, setOpen] = useState(false);
  const labels = Object.entries(iteration.labels ?? {}).sort(([a], [b]) => a.localeCompare(b));
  const change = (changes: Record<string, string | null>) =>
    save(iteration.id, { labels: changes }).then(
      () => {
        setError(undefined);
        setOpen(false);
      },
      (reason) => setError(messageOf(reason)),
    );
  if (!labels.length && !rights.update) return null;
  return (
    <div class="words">
      <span class="words-title">Labels</span>
      {labels.map(([key, value]) => (
        <span class="tag" key={key} title={`${key}: ${value}`}>
          {key}: {value}
          {rights.update ? (
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
      {rights.update && !open ? (
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
  );
}

function NewLabel({ add, cancel }: { add: (changes: Record<string, string>) => void; cancel: () => void }) {
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
