/** A text that is changed in its place. Enter or "Save" saves it, Escape leaves it as it was. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Editor } from "./editor.tsx";

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
    // A save may end late: the user may be elsewhere by then.
    if (wasOpen.current && !open && document.activeElement === document.body) edit.current?.focus();
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
