/** Groups of the OpenID Connect provider, and the rights on a project that their members have. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { Button } from "../components/basics.tsx";
import { Confirm } from "../components/confirm.tsx";
import { DialogButton } from "../components/dialog-button.tsx";
import { Field } from "../components/field.tsx";
import { ACTIONS, TableSection } from "../components/listed.tsx";
import { api } from "../state/api.ts";
import { cache, useList } from "../state/use.ts";
import { permissionsOf, type Right, RightsChoice, textOf } from "./rights.tsx";

type Group = components["schemas"]["Group"];

export function Groups({ projectId, manage }: { projectId: string; manage: boolean }) {
  const list = useList("/projects/{project_id}/groups", { ids: { project_id: projectId } });
  return (
    <TableSection
      title="Groups"
      list={list}
      class="people stacked"
      head={["Group", "Members may", ...(manage ? ([ACTIONS] as const) : [])]}
      actions={
        manage ? (
          <DialogButton label="Add a group">
            {(close) => <AddGroup projectId={projectId} onClose={close} />}
          </DialogButton>
        ) : null
      }
      empty={<p class="note">No group of the provider has rights on this project.</p>}
      row={(each) => <GroupRow key={each.id} group={each} manage={manage} />}
    />
  );
}

function GroupRow({ group, manage }: { group: Group; manage: boolean }) {
  const [removes, setRemoves] = useState(false);
  const remove = async () => {
    const ids = { project_id: group.project_id, group_id: group.id };
    await api.delete("/projects/{project_id}/groups/{group_id}", { ids });
    cache.invalidate(`/projects/${group.project_id}/groups`);
  };
  return (
    <tr>
      <th scope="row">
        <bdi>{group.group}</bdi>
      </th>
      <td>{textOf(group)}</td>
      {manage ? (
        <td class="number">
          <Button kind="plain" aria-label={`Remove ${group.group}`} onClick={() => setRemoves(true)}>
            Remove
          </Button>
          {removes ? (
            <Confirm title="Remove a group" action="Remove" danger act={remove} onClose={() => setRemoves(false)}>
              <p>Each member loses these rights at the next sign-in.</p>
            </Confirm>
          ) : null}
        </td>
      ) : null}
    </tr>
  );
}

function AddGroup({ projectId, onClose }: { projectId: string; onClose: () => void }) {
  const [group, setGroup] = useState("");
  const [rights, setRights] = useState<ReadonlySet<Right>>(new Set(["read"]));
  const add = async () => {
    const ids = { project_id: projectId };
    await api.put("/projects/{project_id}/groups", { ids, body: { group: group.trim(), ...permissionsOf(rights) } });
    cache.invalidate(`/projects/${projectId}/groups`);
  };
  return (
    <Confirm title="Add a group" action="Add" disabled={!group.trim() || !rights.size} act={add} onClose={onClose}>
      <Field
        label="Group, as the provider names it"
        value={group}
        onInput={(event) => setGroup(event.currentTarget.value)}
        autocomplete="off"
        autofocus
        required
      />
      <RightsChoice chosen={rights} onChoose={setRights} />
      <p class="note">Members of the group have them after their next sign-in.</p>
    </Confirm>
  );
}
