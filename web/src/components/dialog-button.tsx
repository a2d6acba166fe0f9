/** A button that opens a dialog; the dialog gets the function that closes it. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "./basics.tsx";

interface DialogButtonProps {
  label: string;
  kind?: "primary" | "plain";
  children: (close: () => void) => ComponentChildren;
}

export function DialogButton({ label, kind, children }: DialogButtonProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button {...(kind ? { kind } : {})} onClick={() => setOpen(true)}>
        {label}
      </Button>
      {open ? children(() => setOpen(false)) : null}
    </>
  );
}
