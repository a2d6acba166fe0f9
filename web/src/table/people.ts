/** The names of authors. */
import { signal, useSignal } from "@preact/signals";
import { useCallback, useEffect, useLayoutEffect } from "preact/hooks";
import { api } from "../state/api.ts";
import { MACHINES } from "../state/machines.ts";
import { me } from "../state/session.ts";
import { SECRET } from "../state/share.ts";
import { useList } from "../state/use.ts";

const everybody = signal<ReadonlyMap<string, string>>(new Map());

/**
 * The members of the project have names. Only an admin may read those of other users: of them the id is shown. They are
 * read `when` the rows are there. The function stays the same: a component that calls it is rendered with later names.
 */
export function useAuthors(projectId: string | undefined, when: boolean): (id: string) => string {
  const given = { ids: { project_id: projectId ?? "" } };
  const members = useList("/projects/{project_id}/permissions", given, {
    when: when && projectId !== undefined && !SECRET,
  });
  const user = me.value;
  useEffect(() => {
    if (when && user?.is_admin && !everybody.peek().size) void readEverybody();
  }, [when, user?.is_admin]);
  const others = everybody.value;
  const names = useSignal<ReadonlyMap<string, string>>(new Map());
  useLayoutEffect(() => {
    const known = (members.data ?? []).map((each) => [each.user_id, each.username] as const);
    const own = user ? [[user.id, user.username] as const] : [];
    names.value = new Map([...MACHINES, ...others, ...known, ...own]);
  }, [members.data, others, user]);
  return useCallback((id) => names.value.get(id) ?? id.slice(0, 8), [names]);
}

async function readEverybody(): Promise<void> {
  const found = new Map<string, string>();
  try {
    for await (const page of api.pages("/users")) for (const each of page) found.set(each.id, each.username);
  } finally {
    everybody.value = found;
  }
}
