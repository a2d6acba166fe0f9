/** What a user prefers, kept on the server, and in this browser for the first moment of a page. */
import { signal } from "@preact/signals";
import { api } from "./api.ts";
import { SECRET } from "./share.ts";

const KEPT = "deardiary-preferences";

export const preferences = signal<Readonly<Record<string, unknown>>>(read());

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

function keep(changed: Record<string, unknown>): void {
  preferences.value = changed;
  try {
    localStorage.setItem(KEPT, JSON.stringify(changed));
  } catch {
    // A browser may refuse storage; the server has it.
  }
}

function read(): Record<string, unknown> {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
}
