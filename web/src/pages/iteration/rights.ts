/** What the user may do in a project: a button that the server would refuse is not shown. */
import type { Me } from "../../state/session.ts";

export interface Rights {
  create: boolean;
  update: boolean;
  delete: boolean;
}

export function rightsOf(me: Me | undefined, projectId: string | undefined): Rights {
  if (me?.is_admin) return { create: true, update: true, delete: true };
  const record = me?.permissions?.find((each) => each.project_id === projectId);
  return {
    create: record?.create_permission ?? false,
    update: record?.update_permission ?? false,
    delete: record?.delete_permission ?? false,
  };
}
