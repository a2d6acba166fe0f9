/** A dialog that does something: it stays open while that runs, and when it fails. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api/errors.ts";
import { Button } from "./basics.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorBox } from "./error-box.tsx";

interface ConfirmFormProps {
  /** The text of the button that does it. */
  action: string;
  danger?: boolean;
  disabled?: boolean;
  act: () => Promise<unknown>;
  /** Show the error at its field among the children. False if it belongs below them. */
  showAtField?: (error: ApiError) => boolean;
  onClose: () => void;
  children: ComponentChildren;
}

export function Confirm({ title, ...form }: ConfirmFormProps & { title: string }) {
  return (
    <Dialog title={title} open onClose={form.onClose}>
      <ConfirmForm {...form} />
    </Dialog>
  );
}

/** What is in the dialog. */
export function ConfirmForm({ action, danger, disabled, act, showAtField, onClose, children }: ConfirmFormProps) {
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
      if (!(reason instanceof ApiError && showAtField?.(reason))) setError(reason);
      setBusy(false);
    }
  };
  return (
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
  );
}

/** A dialog has several fields: the error says which is wrong. */
function namingField(error: unknown): unknown {
  if (!(error instanceof ApiError && error.field)) return error;
  return new ApiError(error.status, error.code, `${error.field.replaceAll("_", " ")}: ${error.message}`);
}
