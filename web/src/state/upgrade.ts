/** After an upgrade the server no longer has the chunks of this page: the new page has other names for them. */

import { api } from "./api.ts";

const KEY = "deardiary-reloaded-from";
const BUILD = document.querySelector<HTMLMetaElement>('meta[name="build"]')?.content ?? "";

/** Load the page again. False if that was done for this build already, and so would not help. */
export function reloadOnce(): boolean {
  try {
    if (sessionStorage.getItem(KEY) === BUILD) return false;
    sessionStorage.setItem(KEY, BUILD);
  } catch {
    return false;
  }
  window.location.reload();
  return true;
}

/** Import a module when it is needed. A lost connection is waited for; after an upgrade the page is loaded again. */
export async function fetchModule<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    // A lost connection, for which this waits; or the file is gone, as the server was upgraded.
    await api.get("/health");
    const again = await load().catch(() => undefined);
    if (again) return again;
    if (reloadOnce()) await new Promise(() => {});
    throw error;
  }
}
