/** The API tokens of the signed-in user. A new one is shown once. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { Button, Loading, Section } from "../components/basics.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Snippet } from "../components/copy.tsx";
import { Dialog } from "../components/dialog.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { Field } from "../components/field.tsx";
import { formatDay } from "../components/format.ts";
import { Time } from "../components/time.tsx";
import { api } from "../state/api.ts";
import { cache, useList } from "../state/use.ts";

type Token = components["schemas"]["ApiToken"];

const LIVES = { "30": "30 days", "90": "90 days", "365": "a year", "": "no limit" };

export function Tokens() {
  const list = useList("/auth/tokens", {});
  const [creates, setCreates] = useState(false);
  const [created, setCreated] = useState<string>();
  const add = (
    <Button kind="primary" onClick={() => setCreates(true)}>
      Create a token
    </Button>
  );
  return (
    <Section title="API tokens" count={list.data?.length} actions={add}>
      {list.error ? <ErrorBox error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Loading /> : null}
      {list.data?.length === 0 ? (
        <p class="note">A program on a machine without a keyboard signs in with one.</p>
      ) : null}
      {list.data?.length ? <TokenTable tokens={list.data} /> : null}
      {creates ? <CreateDialog onCreated={setCreated} onClose={() => setCreates(false)} /> : null}
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
    </Section>
  );
}

function TokenTable({ tokens }: { tokens: readonly Token[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
    <section class="scroll" tabIndex={0} aria-label="API tokens">
      <table class="table people stacked">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">May</th>
            <th scope="col">Created</th>
            <th scope="col">Valid</th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((each) => (
            <TokenRow key={each.id} token={each} />
          ))}
        </tbody>
      </table>
    </section>
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
        onInput={(event) => setName(event.currentTarget.value)}
        placeholder="nightly job"
        maxLength={255}
        autocomplete="off"
        autofocus
        required
      />
      <label class="field">
        <span class="note">Valid for</span>
        <select aria-label="Valid for" value={days} onChange={(event) => setDays(event.currentTarget.value)}>
          {Object.entries(LIVES).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="note">Project</span>
        <select aria-label="Project" value={projectId} onChange={(event) => setProjectId(event.currentTarget.value)}>
          <option value="">all my projects</option>
          {projects.data?.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input type="checkbox" checked={readOnly} onChange={() => setReadOnly(!readOnly)} />
        May only read
      </label>
    </Confirm>
  );
}
