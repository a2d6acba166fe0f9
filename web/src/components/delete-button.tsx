/** Puts an object into the trash, after a question. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "./basics.tsx";
import { Confirm } from "./confirm.tsx";

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
            goes to the trash{and ? ` ${and}` : ""}. Where the server keeps a trash, it can be restored for some days.
          </p>
          {children}
        </Confirm>
      ) : null}
    </>
  );
}
