/** The API tokens of the signed-in user. A new one is shown once. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { Button } from "../components/basics.tsx";
import { Choice, type Option } from "../components/choice.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Snippet } from "../components/copy.tsx";
import { Dialog } from "../components/dialog.tsx";
import { DialogButton } from "../components/dialog-button.tsx";
import { Field } from "../components/field.tsx";
import { formatDay } from "../components/format.ts";
import { ACTIONS, TableSection } from "../components/listed.tsx";
import { Time } from "../components/time.tsx";
import { api } from "../state/api.ts";
import { cache, useList } from "../state/use.ts";

type Token = components["schemas"]["ApiToken"];

const LIVES: Option[] = [
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "a year"],
  ["", "no limit"],
];

export function Tokens() {
  const list = useList("/auth/tokens", {});
  const [created, setCreated] = useState<string>();
  return (
    <>
      <TableSection
        title="API tokens"
        list={list}
        class="people stacked"
        head={["Name", "May", "Created", "Valid", ACTIONS]}
        actions={
          <DialogButton label="Create a token" kind="primary">
            {(close) => <CreateDialog onCreated={setCreated} onClose={close} />}
          </DialogButton>
        }
        empty={<p class="note">A program on a machine without a keyboard signs in with one.</p>}
        row={(each) => <TokenRow key={each.id} token={each} />}
      />
      <Dialog title="Your new token" open={created !== undefined} onClose={() => setCreated(undefined)}>
        <div class="form">
          <p>Copy it now: it is not shown again.</p>
          <Snippet label="Token" text={created ?? ""} />
          <div class="form-actions">
            <Button kind="primary" onClick={() => setCreated(undefined)}>
              Done
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  );
}

function TokenRow({ token }: { token: Token }) {
  const [revokes, setRevokes] = useState(false);
  const projects = useList("/projects", {});
  const project = projects.data?.find((each) => each.id === token.project_id);
  const revoke = async () => {
    await api.delete("/auth/tokens/{token_id}", { ids: { token_id: token.id } });
    cache.invalidate("/auth/tokens");
  };
  return (
    <tr>
      <th scope="row">
        <bdi>{token.name}</bdi>
      </th>
      <td>
        {token.read_only ? "read" : "read and write"}
        {token.project_id ? (
          <>
            {" "}
            in <bdi>{project?.name ?? token.project_id}</bdi>
          </>
        ) : null}
      </td>
      <td>
        <Time at={token.created_date} />
      </td>
      <td>{token.expires_at ? `until ${formatDay(new Date(token.expires_at))}` : "without limit"}</td>
      <td class="number">
        <Button kind="plain" aria-label={`Revoke ${token.name}`} onClick={() => setRevokes(true)}>
          Revoke
        </Button>
        {revokes ? (
          <Confirm title="Revoke a token" action="Revoke" danger act={revoke} onClose={() => setRevokes(false)}>
            <p>
              Programs that use <bdi>{token.name}</bdi> are refused from then on. What they log meanwhile waits on their
              machines.
            </p>
          </Confirm>
        ) : null}
      </td>
    </tr>
  );
}

function CreateDialog({ onCreated, onClose }: { onCreated: (token: string) => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [projectId, setProjectId] = useState("");
  const [readOnly, setReadOnly] = useState(false);
  const projects = useList("/projects", {});
  const create = async () => {
    const limits = { expires_in_days: days ? Number(days) : null, project_id: projectId || null };
    const made = await api.post("/auth/tokens", { body: { name, read_only: readOnly, ...limits } });
    cache.invalidate("/auth/tokens");
    onCreated(made.token ?? "");
  };
  return (
    <Confirm title="Create a token" action="Create" disabled={!name} act={create} onClose={onClose}>
      <Field
        label="Name"
        value={name}
        onText={setName}
        placeholder="nightly job"
        maxLength={255}
        autocomplete="off"
        autofocus
        required
      />
      <Choice label="Valid for" value={days} options={LIVES} onChoose={setDays} />
      <Choice
        label="Project"
        value={projectId}
        options={[["", "all my projects"], ...(projects.data ?? []).map(({ id, name }): Option => [id, name])]}
        onChoose={setProjectId}
      />
      <label class="check">
        <input type="checkbox" checked={readOnly} onChange={() => setReadOnly(!readOnly)} />
        May only read
      </label>
    </Confirm>
  );
}
