/** Who started it: the project's members have names, other ids stay ids. */
import { MACHINES } from "../../state/machines.ts";
import { me } from "../../state/session.ts";
import { SECRET } from "../../state/share.ts";
import { useList } from "../../state/use.ts";

export function Author({ id, projectId }: { id: string; projectId: string | undefined }) {
  if (id === me.value?.id) return <> by you</>;
  if (MACHINES.has(id)) return <> by {MACHINES.get(id)}</>;
  return projectId && !SECRET ? <Member id={id} projectId={projectId} /> : null;
}

function Member({ id, projectId }: { id: string; projectId: string }) {
  const members = useList("/projects/{project_id}/permissions", { ids: { project_id: projectId } });
  if (!members.data) return null;
  const found = members.data.find((each) => each.user_id === id);
  return <> by {found ? found.username : <span title={id}>a user who is no member</span>}</>;
}
