/** The form in which a text is changed. Enter or "Save" saves it, Escape leaves it as it was. */
import { useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";
import { Button } from "./basics.tsx";

export interface EditorProps {
  label: string;
  /** The text as it is now. If it changes meanwhile, what was typed stays, and the form says so. */
  value: string;
  /** Several lines: Enter begins a new one, and Ctrl-Enter saves. */
  long?: boolean | undefined;
  save: (value: string) => Promise<unknown>;
  close: () => void;
  /** The focus has left, and the text is as it was. */
  leave?: () => void;
}

export function Editor({ label, value, long, save, close, leave }: EditorProps) {
  const [before] = useState(value);
  const [text, setText] = useState(value);
  const [error, setError] = useState<string>();
  const [saving, setSaving] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (saving) return;
    if (text === before) return close();
    setSaving(true);
    try {
      await save(text);
      close();
    } catch (reason) {
      setError(messageOf(reason));
      setSaving(false);
    }
  };
  const keys = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.repeat && (!long || event.ctrlKey || event.metaKey)) void submit(event);
  };
  const onFocusOut = (event: FocusEvent & { currentTarget: HTMLFormElement }) => {
    const isInside = event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget);
    if (!isInside && document.hasFocus() && text === before) leave?.();
  };
  const input = {
    "aria-label": label,
    value: text,
    onInput: (event: Event) => setText((event.currentTarget as HTMLInputElement).value),
    onKeyDown: keys,
    "aria-invalid": error ? true : undefined,
  } as const;
  return (
    <form class="editor" onSubmit={submit} onFocusOut={onFocusOut}>
      {long ? <textarea rows={6} ref={focus} {...input} /> : <input ref={focus} {...input} />}
      <Button type="submit" kind="primary" disabled={saving}>
        Save
      </Button>
      <Button kind="plain" onClick={close}>
        Cancel
      </Button>
      {value !== before && !saving ? (
        <p class="editor-note" role="status">
          Changed meanwhile to “{value}”. Save replaces it.
        </p>
      ) : null}
      {error ? (
        <p class="field-error" role="alert">
          {error}
        </p>
      ) : null}
    </form>
  );
}

function focus(element: HTMLInputElement | HTMLTextAreaElement | null) {
  if (element && document.activeElement !== element) element.focus();
}
