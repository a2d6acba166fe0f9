/** A button that opens the alert rules of a project or an experiment. Their code is fetched then. */
import { Dialog } from "../components/dialog.tsx";
import { DialogButton } from "../components/dialog-button.tsx";
import { lazy } from "../components/lazy.tsx";
import type { RulesProps } from "./rules.tsx";
import type { Owner } from "./rules-of.ts";

const Rules = lazy<RulesProps>(() => import("./rules.tsx"));

export function RulesButton({ owner }: { owner: Owner }) {
  return (
    <DialogButton label="Alert rules" kind="plain">
      {(close) => (
        <Dialog title="Alert rules" class="rules" open onClose={close}>
          <Rules owner={owner} onClose={close} />
        </Dialog>
      )}
    </DialogButton>
  );
}
