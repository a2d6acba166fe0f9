/** What can be done with the selected rows. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";
import { Button, Link } from "../components/basics.tsx";
import { Dialog } from "../components/dialog.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { Field } from "../components/field.tsx";
import { api } from "../state/api.ts";
import type { TableData } from "./data.ts";
import type { Row } from "./model.ts";
import { inParts } from "./selection.ts";
import { split } from "./settings.ts";

interface Props {
  experimentId: string;
  ids: readonly string[];
  data: TableData;
  mayUpdate: boolean;
  mayDelete: boolean;
  onClear: () => void;
  onBaseline: (id: string) => void;
}

interface Change {
  add_tags?: string[];
  remove_tags?: string[];
  labels?: Record<string, string | null>;
  delete?: boolean;
}

const MOST_AT_ONCE = 200;
const MOST_COMPARED = 20;

type Doing = "tag" | "label" | "delete";

export function Bulk({ experimentId, ids, data, mayUpdate, mayDelete, onClear, onBaseline }: Props) {
  const [doing, setDoing] = useState<Doing | undefined>();
  const many = `${ids.length.toLocaleString()} ${ids.length === 1 ? "iteration" : "iterations"}`;
  const run = async (change: Change) => {
    await sendAll(experimentId, ids, data, change);
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

function wordsOf(text: string): string[] {
  return [...new Set(split(text).map((each) => each.trim()))].filter((each) => each);
}

/** Change all, and show in the table what was done. Throws with what was not. */
async function sendAll(experimentId: string, ids: readonly string[], data: TableData, change: Change): Promise<void> {
  const failures: string[] = [];
  for (const part of inParts(ids, MOST_AT_ONCE)) {
    const given = { ids: { experiment_id: experimentId }, body: { ids: part, ...change } };
    const { data: outcomes } = await api.post("/experiments/{experiment_id}/iterations/bulk", given);
    const done = new Set(part.filter((id) => outcomes[id] === "done"));
    data.change(done, (row) => changed(row, change));
    for (const outcome of Object.values(outcomes))
      if (outcome !== "done") failures.push(messageOf(new Error(outcome.message)));
  }
  if (failures.length) throw new Error(`${failures.length} of ${ids.length} were not changed: ${failures[0]}`);
}

function changed(
  row: Row,
  { add_tags = [], remove_tags = [], labels = {}, delete: isDeleted }: Change,
): Row | undefined {
  if (isDeleted) return undefined;
  const kept = row.tags.filter((each) => !remove_tags.includes(each) && !add_tags.includes(each));
  const merged = { ...row.labels };
  for (const [key, value] of Object.entries(labels)) {
    if (value === null) delete merged[key];
    else merged[key] = value;
  }
  return { ...row, tags: [...kept, ...add_tags], labels: merged };
}
