/** Asks before something that cannot simply be taken back. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorBox } from "../../components/error-box.tsx";

interface ConfirmProps {
  title: string;
  /** The word on the button that does it. */
  action: string;
  open: boolean;
  close: () => void;
  act: () => Promise<void>;
  children: ComponentChildren;
}

export function Confirm({ title, action, open, close, act, children }: ConfirmProps) {
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const leave = () => {
    setError(undefined);
    close();
  };
  const confirm = async () => {
    setBusy(true);
    try {
      await act();
      leave();
    } catch (reason) {
      setError(reason);
    }
    setBusy(false);
  };
  return (
    <Dialog title={title} open={open} onClose={leave}>
      {children}
      {error ? <ErrorBox error={error} /> : null}
      <div class="dialog-buttons">
        <Button onClick={leave}>Cancel</Button>
        <Button kind="danger" onClick={confirm} disabled={busy}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
