/** The members of a project with their permissions. Only who may change them sees controls. */
import { useState } from "preact/hooks";
import { ApiError } from "../api/errors.ts";
import type { components } from "../api/operations.ts";
import { Button } from "../components/basics.tsx";
import { Confirm } from "../components/confirm.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { Field } from "../components/field.tsx";
import { ACTIONS, Table } from "../components/listed.tsx";
import { api } from "../state/api.ts";
import { loadMe, me } from "../state/session.ts";
import { cache } from "../state/use.ts";
import { permissionsOf, RIGHTS, type Right, RightsChoice } from "./rights.tsx";

type Member = components["schemas"]["Member"];

/** The account of an AWS role or user: no name of a person has a slash. Its permissions follow from the identities. */
function isMachine(member: Member): boolean {
  return member.username.includes("/");
}

function titleOf(right: Right): string {
  return `${right[0]?.toUpperCase()}${right.slice(1)}`;
}

interface MembersProps {
  projectId: string;
  members: readonly Member[];
  manage: boolean;
}

export function MembersTable({ projectId, members, manage }: MembersProps) {
  return (
    <Table
      label="Members"
      class="people stacked"
      head={["Name", ...RIGHTS.map(titleOf), ...(manage ? ([ACTIONS] as const) : [])]}
    >
      {members.map((each) => (
        <MemberRow key={each.user_id} projectId={projectId} member={each} manage={manage} />
      ))}
    </Table>
  );
}

async function readAgain(projectId: string, userId: string): Promise<void> {
  if (userId === me.peek()?.id) await loadMe();
  cache.invalidate(`/projects/${projectId}/permissions`);
}

interface RowProps {
  projectId: string;
  member: Member;
  manage: boolean;
}

function MemberRow({ projectId, member, manage }: RowProps) {
  const [removes, setRemoves] = useState(false);
  const changes = manage && !isMachine(member);
  return (
    <tr>
      <th scope="row">
        <bdi>{member.username}</bdi>
        <p class="note">
          {isMachine(member) ? "AWS identity" : <bdi>{`${member.first_name} ${member.last_name}`.trim()}</bdi>}
        </p>
      </th>
      {RIGHTS.map((each) => (
        <td key={each} data-label={titleOf(each)}>
          {changes ? (
            <RightBox projectId={projectId} member={member} right={each} />
          ) : member[`${each}_permission`] ? (
            "✓"
          ) : (
            <span class="note">—</span>
          )}
        </td>
      ))}
      {manage ? (
        <td class="number">
          {changes ? (
            <Button kind="plain" aria-label={`Remove ${member.username}`} onClick={() => setRemoves(true)}>
              Remove
            </Button>
          ) : null}
          {removes ? <RemoveDialog projectId={projectId} member={member} onClose={() => setRemoves(false)} /> : null}
        </td>
      ) : null}
    </tr>
  );
}

/** A permission that changes at once. Only taking away one's own is asked about: the user cannot take that back. */
function RightBox({ projectId, member, right }: Omit<RowProps, "manage"> & { right: Right }) {
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [asks, setAsks] = useState(false);
  const held = member[`${right}_permission`];
  const change = async () => {
    const ids = { project_id: projectId, user_id: member.user_id };
    await api.patch("/projects/{project_id}/permissions/{user_id}", { ids, body: { [`${right}_permission`]: !held } });
    await readAgain(projectId, member.user_id);
  };
  const changeNow = async () => {
    setBusy(true);
    setError(undefined);
    await change().catch(setError);
    setBusy(false);
  };
  const isOwn = held && member.user_id === me.value?.id && !me.value.is_admin;
  return (
    <>
      <input
        type="checkbox"
        checked={held}
        disabled={busy}
        aria-label={`${member.username} may ${right}`}
        onChange={(event) => {
          // The server decides what is held.
          event.currentTarget.checked = held;
          if (isOwn) setAsks(true);
          else void changeNow();
        }}
      />
      {error ? <ErrorBox error={error} /> : null}
      {asks ? (
        <Confirm
          title="Give up your own permission"
          action={`Give up ${right}`}
          danger
          act={change}
          onClose={() => setAsks(false)}
        >
          <p>You then cannot change permissions of this project any more: that needs all four.</p>
        </Confirm>
      ) : null}
    </>
  );
}

function RemoveDialog({ projectId, member, onClose }: Omit<RowProps, "manage"> & { onClose: () => void }) {
  const remove = async () => {
    const ids = { project_id: projectId, user_id: member.user_id };
    await api.delete("/projects/{project_id}/permissions/{user_id}", { ids });
    await readAgain(projectId, member.user_id);
  };
  const own = member.user_id === me.value?.id;
  return (
    <Confirm title={`Remove ${member.username}`} action="Remove" danger act={remove} onClose={onClose}>
      <p>{own ? "You then do not see this project any more." : "The project is then not there for this user."}</p>
    </Confirm>
  );
}

export function AddMember({ projectId }: { projectId: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="primary" onClick={() => setOpen(true)}>
        Add a member
      </Button>
      {open ? <AddDialog projectId={projectId} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function AddDialog({ projectId, onClose }: { projectId: string; onClose: () => void }) {
  const [username, setUsername] = useState("");
  const [rights, setRights] = useState<ReadonlySet<Right>>(new Set<Right>(["read"]));
  const add = async () => {
    const found = await api.get("/users", { query: { username } });
    const [user] = found.data;
    if (!user) throw new ApiError(404, "NOT_FOUND", `No user is called ${username}.`);
    const ids = { project_id: projectId, user_id: user.id };
    await api.put("/projects/{project_id}/permissions/{user_id}", { ids, body: permissionsOf(rights) });
    await readAgain(projectId, user.id);
  };
  return (
    <Confirm title="Add a member" action="Add" disabled={!username || !rights.size} act={add} onClose={onClose}>
      <Field
        label="Username"
        value={username}
        onInput={(event) => setUsername(event.currentTarget.value.trim())}
        autocomplete="off"
        autofocus
        required
      />
      <RightsChoice chosen={rights} onChoose={setRights} />
      <p class="note">Who has all four may change the permissions of others.</p>
    </Confirm>
  );
}
