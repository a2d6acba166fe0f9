/** What a user prefers, kept on the server, and in this browser for the first moment of a page. */
import { signal } from "@preact/signals";
import { api } from "./api.ts";
import { keepPreferences, keptPreferences, type Preferences } from "./kept.ts";
import { SECRET } from "./share.ts";

export const preferences = signal<Preferences>(keptPreferences());

/** Read those that another browser of this user may have changed. */
export async function loadPreferences(): Promise<void> {
  keep((await api.get("/auth/me/preferences")) as Record<string, unknown>);
}

/** Change one preference; undefined removes it. Others that another tab changes meanwhile stay. */
export async function prefer(name: string, value: unknown): Promise<void> {
  keep({ ...preferences.peek(), [name]: value });
  if (SECRET) return;
  const stored = (await api.get("/auth/me/preferences")) as Record<string, unknown>;
  const changed = { ...stored, [name]: value };
  if (value === undefined) delete changed[name];
  await api.put("/auth/me/preferences", { body: changed });
  keep(changed);
}

function keep(changed: Preferences): void {
  preferences.value = changed;
  keepPreferences(changed);
}
