/** A dialog that does something: it stays open while that runs, and when it fails. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api/errors.ts";
import { Button } from "./basics.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorBox } from "./error-box.tsx";

interface ConfirmProps {
  title: string;
  /** The text of the button that does it. */
  action: string;
  danger?: boolean;
  disabled?: boolean;
  act: () => Promise<unknown>;
  onClose: () => void;
  children: ComponentChildren;
}

export function Confirm({ title, action, danger, disabled, act, onClose, children }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await act();
      onClose();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} open onClose={onClose}>
      <form class="form" onSubmit={submit}>
        {children}
        {error ? <ErrorBox error={namingField(error)} /> : null}
        <div class="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind={danger ? "danger" : "primary"} disabled={busy || disabled}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** A dialog has several fields: the error says which is wrong. */
function namingField(error: unknown): unknown {
  if (!(error instanceof ApiError && error.field)) return error;
  return new ApiError(error.status, error.code, `${error.field.replaceAll("_", " ")}: ${error.message}`);
}
