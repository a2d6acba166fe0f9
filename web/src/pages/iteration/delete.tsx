import { useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import { api } from "../../state/api.ts";
import { go } from "../../state/route.ts";
import { cache } from "../../state/use.ts";
import { Confirm } from "./confirm.tsx";
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
      <Confirm title="Delete this iteration?" action="Delete it" open={open} close={() => setOpen(false)} act={remove}>
        <p>
          <strong>{iteration.name}</strong>, its values and its files go to the project's trash. Where the server keeps
          a trash, they can be restored from it for some days.
        </p>
      </Confirm>
    </>
  );
}
