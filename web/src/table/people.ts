/** The names of authors. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../state/api.ts";
import { me } from "../state/session.ts";

const names = signal<ReadonlyMap<string, string>>(new Map());

/** Only an admin may read the names of other users. */
export function useAuthors(): (id: string) => string {
  const admin = me.value?.is_admin;
  useEffect(() => {
    if (admin && !names.peek().size) void loadNames();
  }, [admin]);
  const known = names.value;
  return (id) => (id === me.value?.id ? me.value.username : (known.get(id) ?? id.slice(0, 8)));
}

async function loadNames(): Promise<void> {
  const found = new Map<string, string>();
  try {
    for await (const page of api.pages("/users")) for (const each of page) found.set(each.id, each.username);
  } finally {
    names.value = found;
  }
}
