/** AWS roles and users that act in a project without a password or a token, and the rights that they have. */
import { useState } from "preact/hooks";
import { ApiError } from "../api/errors.ts";
import type { components } from "../api/operations.ts";
import { Button } from "../components/basics.tsx";
import { Confirm } from "../components/confirm.tsx";
import { DialogButton } from "../components/dialog-button.tsx";
import { Field } from "../components/field.tsx";
import { ACTIONS, TableSection } from "../components/listed.tsx";
import { Time } from "../components/time.tsx";
import { api } from "../state/api.ts";
import { cache, useList } from "../state/use.ts";
import { permissionsOf, type Right, RightsChoice, textOf } from "./rights.tsx";

type Identity = components["schemas"]["Identity"];

const PATH = "/auth/identities";

/** Only for those who manage the project: others may not list them. */
export function Identities({ projectId }: { projectId: string }) {
  const list = useList(PATH, { query: { project_id: projectId } });
  return (
    <TableSection
      title="AWS identities"
      list={list}
      class="people stacked"
      head={["ARN pattern", "Jobs may", "Since", ACTIONS]}
      actions={
        <DialogButton label="Add an identity">
          {(close) => <AddIdentity projectId={projectId} onClose={close} />}
        </DialogButton>
      }
      empty={<p class="note">A job with an AWS role signs in without a token, if a pattern here allows the role.</p>}
      row={(each) => <IdentityRow key={each.id} identity={each} />}
    />
  );
}

function IdentityRow({ identity }: { identity: Identity }) {
  const [removes, setRemoves] = useState(false);
  const remove = async () => {
    await api.delete("/auth/identities/{identity_id}", { ids: { identity_id: identity.id } }).catch(ignoreIfGone);
    cache.invalidate(PATH);
    // The machine accounts of the pattern are members no more.
    cache.invalidate(`/projects/${identity.project_id}/permissions`);
  };
  return (
    <tr>
      <th scope="row">
        <code>{identity.pattern}</code>
      </th>
      <td>{textOf(identity)}</td>
      <td>
        <Time at={identity.created_date} />
      </td>
      <td class="number">
        <Button kind="plain" aria-label={`Remove ${identity.pattern}`} onClick={() => setRemoves(true)}>
          Remove
        </Button>
        {removes ? (
          <Confirm title="Remove an AWS identity" action="Remove" danger act={remove} onClose={() => setRemoves(false)}>
            <code>{identity.pattern}</code>
            <p>Jobs that no other pattern allows are refused from then on, also those that run.</p>
          </Confirm>
        ) : null}
      </td>
    </tr>
  );
}

/** Another tab was faster. */
function ignoreIfGone(error: unknown): void {
  if (!(error instanceof ApiError && error.isNotFound)) throw error;
}

function AddIdentity({ projectId, onClose }: { projectId: string; onClose: () => void }) {
  const [pattern, setPattern] = useState("");
  const [rights, setRights] = useState<ReadonlySet<Right>>(new Set(["read", "create", "update"]));
  const [wrong, setWrong] = useState<ApiError>();
  const add = async () => {
    await api.post(PATH, { body: { pattern: pattern.trim(), project_id: projectId, ...permissionsOf(rights) } });
    cache.invalidate(PATH);
  };
  const showAtField = (error: ApiError) => {
    if (error.field === "pattern") setWrong(error);
    return error.field === "pattern";
  };
  return (
    <Confirm
      title="Add an AWS identity"
      action="Add"
      disabled={!pattern.trim() || !rights.size}
      act={add}
      showAtField={showAtField}
      onClose={onClose}
    >
      <Field
        label="ARN pattern"
        class="code"
        value={pattern}
        error={wrong?.message}
        onText={(text) => {
          setWrong(undefined);
          setPattern(text);
        }}
        placeholder="arn:aws:iam::123456789012:role/train-*"
        maxLength={255}
        autocomplete="off"
        autofocus
        required
      />
      <p class="note">
        A star stands for any characters of the name. The pattern trusts everyone who may assume such a role.
      </p>
      <RightsChoice chosen={rights} onChoose={setRights} />
    </Confirm>
  );
}
