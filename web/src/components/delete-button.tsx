/** Puts an object into the trash, after a question. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { UNDO_DAYS } from "../state/undo.ts";
import { Button } from "./basics.tsx";
import { Confirm } from "./confirm.tsx";
import { countOf } from "./format.ts";

function afterwards(): string {
  if (UNDO_DAYS === 0) return "This server keeps no trash: it cannot be restored.";
  if (UNDO_DAYS === undefined) return "It can be restored from there.";
  return `It can be restored for ${countOf(UNDO_DAYS, "day")}.`;
}

interface DeleteButtonProps {
  /** What it is: "model". */
  what: string;
  name: string;
  /** What goes with it: "with its versions". */
  and?: string;
  remove: () => Promise<unknown>;
  children?: ComponentChildren;
}

export function DeleteButton({ what, name, and, remove, children }: DeleteButtonProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="plain" onClick={() => setOpen(true)}>
        Delete {what}
      </Button>
      {open ? (
        <Confirm title={`Delete this ${what}?`} action="Delete it" danger onClose={() => setOpen(false)} act={remove}>
          <p>
            <bdi class="clamp strong">{name}</bdi>
            {UNDO_DAYS === 0 ? "is deleted for good" : "goes to the trash"}
            {and ? ` ${and}` : ""}. {afterwards()}
          </p>
          {children}
        </Confirm>
      ) : null}
    </>
  );
}
