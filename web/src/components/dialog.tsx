import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface DialogProps {
  title: string;
  class?: string;
  open: boolean;
  /** Called when it is closed by Escape or a button. Without it, it stays until it is answered. */
  onClose?: () => void;
  children: ComponentChildren;
}

/** A native dialog: the browser keeps the focus in it, and gives it back. */
export function Dialog({ title, class: given = "", open, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    if (open && element && !element.open) element.showModal();
    if (!open) element?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${given}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        if (!onClose) event.preventDefault();
      }}
      onClose={() => {
        // A browser may close it in spite of us.
        if (onClose) onClose();
        else if (open) dialog.current?.showModal();
      }}
    >
      {open ? (
        <>
          <h2 id={heading}>{title}</h2>
          {children}
        </>
      ) : null}
    </dialog>
  );
}
