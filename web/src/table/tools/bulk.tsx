/** What can be done with the selected rows. */
import { useState } from "preact/hooks";
import { chartsQuery } from "../../charts/of-table.ts";
import { Button, Link } from "../../components/basics.tsx";
import { Confirm } from "../../components/confirm.tsx";
import { Field } from "../../components/field.tsx";
import { countOf } from "../../components/format.ts";
import { FilesInUse } from "../../models/files-in-use.tsx";
import { location } from "../../state/route.ts";
import { bulkChange, type Change } from "../rows/bulk-change.ts";
import { wordsOf } from "../rows/edit.ts";
import type { TableData } from "../rows/table-data.ts";

interface Props {
  experimentId: string;
  ids: readonly string[];
  data: TableData;
  mayUpdate: boolean;
  mayDelete: boolean;
  onClear: () => void;
  onBaseline: (id: string) => void;
  /** Pins the rows to the top, or frees them if all are pinned. */
  onPin: () => void;
  arePinned: boolean;
}

const MOST_COMPARED = 20;

type Doing = "tag" | "label" | "delete";

export function Bulk({ experimentId, ids, data, mayUpdate, mayDelete, onClear, onBaseline, onPin, arePinned }: Props) {
  const [doing, setDoing] = useState<Doing | undefined>();
  // The bar has its place also while it is empty: a first selected row moves nothing.
  if (!ids.length) return <NoneSelected />;
  const many = countOf(ids.length, "iteration");
  const dialog = { many, onClose: () => setDoing(undefined) };
  const run = async (change: Change) => {
    await bulkChange(experimentId, ids, data, change);
    if (change.delete) onClear();
  };
  return (
    <section class="bulk" aria-label="Selected iterations">
      <strong role="status">{many} selected</strong>
      <Compare ids={ids} />
      <Link class="button" to={`/experiments/${experimentId}/charts`} query={chartsQuery(location.value.query, ids)}>
        Charts
      </Link>
      <Button
        disabled={ids.length > 1}
        title={ids.length > 1 ? "Select one iteration" : undefined}
        onClick={() => onBaseline(ids[0] ?? "")}
      >
        Baseline
      </Button>
      <Button class="bulk-pin" onClick={onPin}>
        {arePinned ? "Unpin" : "Pin to the top"}
      </Button>
      {mayUpdate ? <Button onClick={() => setDoing("tag")}>Tag</Button> : null}
      {mayUpdate ? <Button onClick={() => setDoing("label")}>Label</Button> : null}
      {mayDelete ? <Button onClick={() => setDoing("delete")}>Delete</Button> : null}
      <Button kind="plain" onClick={onClear}>
        Clear
      </Button>
      {doing === "tag" ? <TagDialog {...dialog} run={run} /> : null}
      {doing === "label" ? <LabelDialog {...dialog} run={run} /> : null}
      {doing === "delete" ? (
        <Confirm
          title={`Delete ${many}?`}
          action="Delete"
          danger
          act={() => run({ delete: true })}
          onClose={dialog.onClose}
        >
          <p>They go to the trash of the project, with all that belongs to them.</p>
          <FilesInUse experimentId={experimentId} deleted={{ iterationIds: new Set(ids) }} />
        </Confirm>
      ) : null}
    </section>
  );
}

function NoneSelected() {
  return (
    <section class="bulk is-empty" aria-label="Selected iterations">
      <span class="note">Select rows to compare or change them.</span>
    </section>
  );
}

function Compare({ ids }: Pick<Props, "ids">) {
  if (ids.length >= 2 && ids.length <= MOST_COMPARED) {
    return (
      <Link class="button" to="/compare" query={{ iterations: ids.join(",") }}>
        Compare
      </Link>
    );
  }
  return (
    <Button disabled title={`Select 2 to ${MOST_COMPARED} iterations`}>
      Compare
    </Button>
  );
}

interface DialogProps {
  many: string;
  run: (change: Change) => Promise<void>;
  onClose: () => void;
}

function TagDialog({ many, run, onClose }: DialogProps) {
  const [add, setAdd] = useState("");
  const [remove, setRemove] = useState("");
  const send = () => run({ add_tags: wordsOf(add), remove_tags: wordsOf(remove) });
  return (
    <Confirm title={`Tag ${many}`} action="Change tags" act={send} onClose={onClose}>
      <Field label="Add (separated by commas)" value={add} onInput={(event) => setAdd(event.currentTarget.value)} />
      <Field label="Remove" value={remove} onInput={(event) => setRemove(event.currentTarget.value)} />
    </Confirm>
  );
}

function LabelDialog({ many, run, onClose }: DialogProps) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const send = () => run({ labels: { [key]: value || null } });
  return (
    <Confirm title={`Label ${many}`} action="Set label" act={send} onClose={onClose}>
      <Field label="Key" required value={key} onInput={(event) => setKey(event.currentTarget.value)} />
      <Field label="Value (empty: remove it)" value={value} onInput={(event) => setValue(event.currentTarget.value)} />
    </Confirm>
  );
}
