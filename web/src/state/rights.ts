/** What the signed-in user may do in a project. Pages show only controls that would work; the server decides. */
import { me } from "./session.ts";

export interface Rights {
  create: boolean;
  read: boolean;
  update: boolean;
  delete: boolean;
  /** May change the permissions of others. */
  manage: boolean;
}

export function rightsOn(projectId: string | undefined): Rights {
  const user = me.value;
  const held = user?.permissions?.find((each) => each.project_id === projectId);
  const may = (right: "create" | "read" | "update" | "delete") =>
    user?.is_admin === true || held?.[`${right}_permission`] === true;
  const rights = { create: may("create"), read: may("read"), update: may("update"), delete: may("delete") };
  return { ...rights, manage: Object.values(rights).every(Boolean) };
}
