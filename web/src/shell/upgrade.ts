/** After an upgrade the server no longer has the chunks of this page: the new page has other names for them. */

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
