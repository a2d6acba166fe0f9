/** A text that is changed in its place. Enter or "Save" saves it, Escape leaves it as it was. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";
import { Button } from "./basics.tsx";

interface EditableProps {
  label: string;
  value: string;
  may: boolean;
  /** The text of the button: "Edit" where it is not given. */
  action?: string;
  /** Several lines: Enter begins a new one, and Ctrl-Enter saves. */
  long?: boolean;
  save: (value: string) => Promise<unknown>;
  /** How it looks while nobody changes it. */
  children: ComponentChildren;
}

export function EditableText(props: EditableProps) {
  const [open, setOpen] = useState(false);
  const edit = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useLayoutEffect(() => {
    if (wasOpen.current && !open) edit.current?.focus();
    wasOpen.current = open;
  }, [open]);
  if (open) return <Editor {...props} close={() => setOpen(false)} />;
  return (
    <div class="editable">
      {props.children}
      {props.may ? (
        <button type="button" class="edit" ref={edit} onClick={() => setOpen(true)}>
          {props.action && props.action !== "Edit" ? (
            props.action
          ) : (
            <>
              Edit<span class="visually-hidden"> {props.label.toLowerCase()}</span>
            </>
          )}
        </button>
      ) : null}
    </div>
  );
}

function Editor({ label, value, long, save, close }: EditableProps & { close: () => void }) {
  const [text, setText] = useState(value);
  const [error, setError] = useState<string>();
  const [saving, setSaving] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (text === value) return close();
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
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.repeat && (!long || event.ctrlKey || event.metaKey)) void submit(event);
  };
  const input = {
    "aria-label": label,
    value: text,
    onInput: (event: Event) => setText((event.currentTarget as HTMLInputElement).value),
    onKeyDown: keys,
    "aria-invalid": error ? true : undefined,
  } as const;
  return (
    <form class="editor" onSubmit={submit}>
      {long ? <textarea rows={6} ref={focus} {...input} /> : <input ref={focus} {...input} />}
      <Button type="submit" kind="primary" disabled={saving}>
        Save
      </Button>
      <Button kind="plain" onClick={close}>
        Cancel
      </Button>
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
