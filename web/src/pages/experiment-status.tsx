/** The status of an experiment, changed in a dialog. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { urlOf } from "../api/url.ts";
import { EXPERIMENT_STATUS } from "../api/words.ts";
import { Button } from "../components/basics.tsx";
import { Confirm } from "../components/confirm.tsx";
import { api } from "../state/api.ts";
import { cache } from "../state/use.ts";

type Schemas = components["schemas"];
type Experiment = Schemas["Experiment"];
type StatusId = Schemas["ExperimentStatus"];

const PATH = "/experiments/{experiment_id}";
const STATUSES = Object.keys(EXPERIMENT_STATUS).map(Number) as StatusId[];
const MEANING: Record<StatusId, string> = {
  1: "takes new iterations",
  2: "given up: takes no new iterations",
  3: "done: takes no new iterations",
};

export function ChangeStatus({ experiment }: { experiment: Experiment }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="plain" onClick={() => setOpen(true)}>
        Change status
      </Button>
      {open ? <StatusDialog experiment={experiment} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function StatusDialog({ experiment, onClose }: { experiment: Experiment; onClose: () => void }) {
  const [status, setStatus] = useState<StatusId>(experiment.status_id);
  const change = async () => {
    const ids = { experiment_id: experiment.id };
    cache.put(urlOf(PATH, ids), await api.patch(PATH, { ids, body: { status_id: status } }));
    cache.invalidate(`/projects/${experiment.project_id}/experiments`);
  };
  return (
    <Confirm
      title="Status of this experiment"
      action="Set the status"
      disabled={status === experiment.status_id}
      act={change}
      onClose={onClose}
    >
      <fieldset class="choices">
        <legend>Status</legend>
        {STATUSES.map((each) => (
          <label key={each}>
            <input type="radio" name="status" checked={each === status} onChange={() => setStatus(each)} />
            {EXPERIMENT_STATUS[each]}
            <span class="note">{MEANING[each]}</span>
          </label>
        ))}
      </fieldset>
      <p class="note">Iterations that run go on, but add no new files to an experiment that is not open.</p>
    </Confirm>
  );
}
