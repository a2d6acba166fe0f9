/** Deleted objects, each with what can still be done. */
import { useState } from "preact/hooks";
import { ApiError } from "../api/errors.ts";
import type { components } from "../api/operations.ts";
import { Button, Empty, Link } from "../components/basics.tsx";
import { Confirm } from "../components/confirm.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { Field } from "../components/field.tsx";
import { countOf, formatTime } from "../components/format.ts";
import { ACTIONS, Listed, Table } from "../components/listed.tsx";
import { Time } from "../components/time.tsx";
import { api } from "../state/api.ts";
import { loadMe } from "../state/session.ts";
import { UNDO_DAYS } from "../state/undo.ts";
import { cache, type Shown } from "../state/use.ts";

type Trashed = components["schemas"]["Trashed"];

interface Props {
  list: Shown<Trashed[]>;
  /** May restore and purge. */
  mayDelete: boolean;
  /** The name of a user, where it is known. */
  nameOf: (userId: string) => string | undefined;
}

export function TrashTable({ list, mayDelete, nameOf }: Props) {
  const [restored, setRestored] = useState<Trashed>();
  return (
    <>
      <p class="restored" role="status">
        {restored ? <Restored entry={restored} /> : null}
      </p>
      <Listed list={list} empty={<Empty title="The trash is empty">{emptyWords()}</Empty>}>
        {(rows) => (
          <Table
            label="Trash"
            class="people stacked"
            head={["Name", "Kind", "Deleted", "Kept", ...(mayDelete ? ([ACTIONS] as const) : [])]}
          >
            {rows.map((each) => (
              <TrashRow
                key={each.id}
                entry={each}
                by={each.deleted_by ? nameOf(each.deleted_by) : undefined}
                mayDelete={mayDelete}
                onRestored={setRestored}
              />
            ))}
          </Table>
        )}
      </Listed>
    </>
  );
}

function emptyWords(): string {
  if (UNDO_DAYS === 0) return "This server keeps no trash: a deleted object is gone.";
  return `A deleted object can be restored here${UNDO_DAYS ? ` for ${countOf(UNDO_DAYS, "day")}` : ""}.`;
}

function wordOf(kind: string): string {
  return { resource: "file", loggedmodel: "logged model" }[kind] ?? kind;
}

function Restored({ entry }: { entry: Trashed }) {
  return (
    <>
      {entry.kind === "loggedmodel" ? (
        <bdi>{entry.name}</bdi>
      ) : (
        <Link to={`/${entry.kind}s/${entry.id}`}>
          <bdi>{entry.name}</bdi>
        </Link>
      )}{" "}
      is restored.
    </>
  );
}

interface RowProps {
  entry: Trashed;
  by: string | undefined;
  mayDelete: boolean;
  onRestored: (entry: Trashed) => void;
}

function TrashRow({ entry, by, mayDelete, onRestored }: RowProps) {
  return (
    <tr>
      <th scope="row">
        <bdi>{entry.name}</bdi>
      </th>
      <td>{wordOf(entry.kind)}</td>
      <td>
        <Time at={entry.deleted_date} />
        {by ? (
          <span class="note">
            {" "}
            by <bdi>{by}</bdi>
          </span>
        ) : null}
      </td>
      <td>until {formatTime(new Date(entry.purge_date))}</td>
      {mayDelete ? (
        <td class="number">
          <RestoreButton entry={entry} onRestored={onRestored} />
          <PurgeButton entry={entry} />
        </td>
      ) : null}
    </tr>
  );
}

/** Anything may show what was restored or purged. A project brings its permissions back. */
async function readAgain(kind: string): Promise<void> {
  if (kind === "project") await loadMe();
  cache.invalidate("/");
}

async function restore(entry: Trashed, name?: string): Promise<Trashed> {
  const found = await api.post("/trash/{object_id}", { ids: { object_id: entry.id }, body: name ? { name } : {} });
  await readAgain(entry.kind);
  return { ...entry, name: found.name ?? entry.name };
}

function RestoreButton({ entry, onRestored }: { entry: Trashed; onRestored: (entry: Trashed) => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [taken, setTaken] = useState(false);
  const [name, setName] = useState(entry.name);
  const restoreNow = async () => {
    setBusy(true);
    setError(undefined);
    try {
      onRestored(await restore(entry));
    } catch (reason) {
      if (reason instanceof ApiError && reason.status === 409 && reason.field === "name") setTaken(true);
      else setError(reason);
    }
    setBusy(false);
  };
  return (
    <>
      <Button kind="plain" disabled={busy} aria-label={`Restore ${entry.name}`} onClick={restoreNow}>
        Restore
      </Button>
      {error ? <ErrorBox error={error} /> : null}
      {taken ? (
        <Confirm
          title="Restore under another name"
          action="Restore"
          disabled={!name || name === entry.name}
          act={async () => onRestored(await restore(entry, name))}
          onClose={() => setTaken(false)}
        >
          <p>
            Another {wordOf(entry.kind)} has the name <bdi>{entry.name}</bdi> meanwhile.
          </p>
          <Field
            label="Name"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
            maxLength={255}
            autofocus
            required
          />
        </Confirm>
      ) : null}
    </>
  );
}

function PurgeButton({ entry }: { entry: Trashed }) {
  const [asks, setAsks] = useState(false);
  const purge = async () => {
    await api.delete("/trash/{object_id}", { ids: { object_id: entry.id } });
    await readAgain(entry.kind);
  };
  return (
    <>
      <Button kind="plain" aria-label={`Delete ${entry.name} for good`} onClick={() => setAsks(true)}>
        Delete for good
      </Button>
      {asks ? (
        <Confirm title="Delete for good" action="Delete for good" danger act={purge} onClose={() => setAsks(false)}>
          <p>
            The {wordOf(entry.kind)} <bdi>{entry.name}</bdi> and everything in it is removed now. This cannot be undone.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}
