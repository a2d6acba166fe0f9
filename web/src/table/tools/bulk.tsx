/** What can be done with the selected rows. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button, Link } from "../../components/basics.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorBox } from "../../components/error-box.tsx";
import { Field } from "../../components/field.tsx";
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
  const many = `${ids.length.toLocaleString()} ${ids.length === 1 ? "iteration" : "iterations"}`;
  const run = async (change: Change) => {
    await bulkChange(experimentId, ids, data, change);
    setDoing(undefined);
    if (change.delete) onClear();
  };
  const close = () => setDoing(undefined);
  return (
    <section class="bulk" aria-label="Selected iterations">
      <strong role="status">{many} selected</strong>
      {ids.length >= 2 && ids.length <= MOST_COMPARED ? (
        <Link class="button" to="/compare" query={{ iterations: ids.join(",") }}>
          Compare
        </Link>
      ) : null}
      <Link class="button" to={`/experiments/${experimentId}/charts`} query={{ "chart-shown": ids.join(",") }}>
        Charts
      </Link>
      {ids.length === 1 ? <Button onClick={() => onBaseline(ids[0] ?? "")}>Baseline</Button> : null}
      <Button onClick={onPin}>{arePinned ? "Unpin" : "Pin to the top"}</Button>
      {mayUpdate ? <Button onClick={() => setDoing("tag")}>Tag</Button> : null}
      {mayUpdate ? <Button onClick={() => setDoing("label")}>Label</Button> : null}
      {mayDelete ? <Button onClick={() => setDoing("delete")}>Delete</Button> : null}
      <Button kind="plain" onClick={onClear}>
        Clear
      </Button>
      <Dialog title={`Tag ${many}`} open={doing === "tag"} onClose={close}>
        <TagForm run={run} />
      </Dialog>
      <Dialog title={`Label ${many}`} open={doing === "label"} onClose={close}>
        <LabelForm run={run} />
      </Dialog>
      <Dialog title={`Delete ${many}?`} open={doing === "delete"} onClose={close}>
        <Form run={() => run({ delete: true })} action="Delete" isDangerous>
          <p>They go to the trash of the project, with all that belongs to them.</p>
        </Form>
      </Dialog>
    </section>
  );
}

type Run = (change: Change) => Promise<void>;

function TagForm({ run }: { run: Run }) {
  const [add, setAdd] = useState("");
  const [remove, setRemove] = useState("");
  const send = () => run({ add_tags: wordsOf(add), remove_tags: wordsOf(remove) });
  return (
    <Form run={send} action="Change tags">
      <Field label="Add (separated by commas)" value={add} onInput={(event) => setAdd(event.currentTarget.value)} />
      <Field label="Remove" value={remove} onInput={(event) => setRemove(event.currentTarget.value)} />
    </Form>
  );
}

function LabelForm({ run }: { run: Run }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  return (
    <Form run={() => run({ labels: { [key]: value || null } })} action="Set label">
      <Field label="Key" required value={key} onInput={(event) => setKey(event.currentTarget.value)} />
      <Field label="Value (empty: remove it)" value={value} onInput={(event) => setValue(event.currentTarget.value)} />
    </Form>
  );
}

interface FormProps {
  run: () => Promise<void>;
  action: string;
  isDangerous?: boolean;
  children: ComponentChildren;
}

function Form({ run, action, isDangerous, children }: FormProps) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await run();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={submit}>
      {children}
      {error ? <ErrorBox error={error} /> : null}
      <Button type="submit" kind={isDangerous ? "danger" : "primary"} disabled={isBusy}>
        {action}
      </Button>
    </form>
  );
}
