/** All users, for admins. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { Button } from "../components/basics.tsx";
import { Confirm } from "../components/confirm.tsx";
import { DialogButton } from "../components/dialog-button.tsx";
import { Field } from "../components/field.tsx";
import { ACTIONS, TableSection } from "../components/listed.tsx";
import { Time } from "../components/time.tsx";
import { api } from "../state/api.ts";
import { useHeading } from "../state/heading.ts";
import { me } from "../state/session.ts";
import { cache, type Shown, useList } from "../state/use.ts";

type User = components["schemas"]["User"];

export default function UsersPage() {
  useHeading("Users");
  // To an admin the server answers whole users.
  const list = useList("/users", {});
  return (
    <>
      <h1 class="visually-hidden">Users</h1>
      <TableSection
        title="Users"
        list={list as Shown<User[]>}
        class="people stacked"
        head={["Username", "Name", "Role", "Created", ACTIONS]}
        actions={me.value?.is_admin ? <AddUser /> : null}
        row={(each) => <UserRow key={each.id} user={each} />}
      />
    </>
  );
}

/** Admins do not demote or delete themselves here: another admin does. */
function UserRow({ user }: { user: User }) {
  const [asks, setAsks] = useState<"role" | "delete">();
  const close = () => setAsks(undefined);
  const own = user.id === me.value?.id;
  return (
    <tr>
      <th scope="row">
        <bdi>{user.username}</bdi>
        {own ? <span class="note"> (you)</span> : null}
      </th>
      <td>
        <bdi>{`${user.first_name} ${user.last_name}`.trim() || "—"}</bdi>
      </td>
      <td>{user.is_admin ? "admin" : <span class="note">user</span>}</td>
      <td>
        <Time at={user.created_date} />
      </td>
      <td class="number">
        {own ? null : (
          <>
            <Button kind="plain" aria-label={`${roleAction(user)}: ${user.username}`} onClick={() => setAsks("role")}>
              {roleAction(user)}
            </Button>
            <Button kind="plain" aria-label={`Delete ${user.username}`} onClick={() => setAsks("delete")}>
              Delete
            </Button>
          </>
        )}
        {asks === "role" ? <RoleDialog user={user} onClose={close} /> : null}
        {asks === "delete" ? <DeleteDialog user={user} onClose={close} /> : null}
      </td>
    </tr>
  );
}

function roleAction(user: User): string {
  return user.is_admin ? "Make a user" : "Make an admin";
}

interface DialogProps {
  user: User;
  onClose: () => void;
}

function RoleDialog({ user, onClose }: DialogProps) {
  const change = async () => {
    await api.patch("/users/{user_id}", { ids: { user_id: user.id }, body: { is_admin: !user.is_admin } });
    cache.invalidate("/users");
  };
  return (
    <Confirm title={`${roleAction(user)}: ${user.username}`} action={roleAction(user)} act={change} onClose={onClose}>
      <p>
        {user.is_admin
          ? "All sessions and API tokens of this user end."
          : "An admin sees and changes all projects and all users."}
      </p>
    </Confirm>
  );
}

function DeleteDialog({ user, onClose }: DialogProps) {
  const remove = async () => {
    await api.delete("/users/{user_id}", { ids: { user_id: user.id } });
    cache.invalidate("/users");
  };
  return (
    <Confirm title={`Delete ${user.username}`} action="Delete the user" danger act={remove} onClose={onClose}>
      <p>This cannot be undone. The user's permissions and tokens go too; what the user logged stays.</p>
    </Confirm>
  );
}

function AddUser() {
  return (
    <DialogButton label="Create a user" kind="primary">
      {(close) => <CreateDialog onClose={close} />}
    </DialogButton>
  );
}

function CreateDialog({ onClose }: { onClose: () => void }) {
  const [given, setGiven] = useState({ username: "", password: "", first_name: "", last_name: "" });
  const [isAdmin, setIsAdmin] = useState(false);
  const textOf = (name: keyof typeof given) => ({
    value: given[name],
    onText: (text: string) => setGiven({ ...given, [name]: text }),
  });
  const create = async () => {
    await api.post("/users", { body: { ...given, is_admin: isAdmin } });
    cache.invalidate("/users");
  };
  return (
    <Confirm title="Create a user" action="Create" act={create} onClose={onClose}>
      <Field label="Username" autocomplete="off" autofocus required {...textOf("username")} />
      <Field label="Password" type="password" autocomplete="new-password" required {...textOf("password")} />
      <Field label="First name" autocomplete="off" {...textOf("first_name")} />
      <Field label="Last name" autocomplete="off" {...textOf("last_name")} />
      <label class="check">
        <input type="checkbox" checked={isAdmin} onChange={() => setIsAdmin(!isAdmin)} />
        Admin
      </label>
    </Confirm>
  );
}
