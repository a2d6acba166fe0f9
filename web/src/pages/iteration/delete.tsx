import { useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import { Confirm } from "../../components/confirm.tsx";
import { api } from "../../state/api.ts";
import { go } from "../../state/route.ts";
import { cache } from "../../state/use.ts";
import type { PartProps } from "./part.ts";

export function DeleteButton({ iteration }: PartProps) {
  const [open, setOpen] = useState(false);
  const remove = async () => {
    await api.delete("/iterations/{iteration_id}", { ids: { iteration_id: iteration.id } });
    cache.invalidate(`/experiments/${encodeURIComponent(iteration.experiment_id)}/iterations`);
    go(`/experiments/${iteration.experiment_id}`);
  };
  return (
    <>
      <Button kind="plain" onClick={() => setOpen(true)}>
        Delete
      </Button>
      {open ? (
        <Confirm title="Delete this iteration?" action="Delete it" danger onClose={() => setOpen(false)} act={remove}>
          <p>
            <strong class="clamp">{iteration.name}</strong> goes to the trash with its values and its files. Where the
            server keeps a trash, it can be restored for some days.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}
