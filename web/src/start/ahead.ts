/** Requests that the first script sends before the code that needs their answers is here. */

/** Data of an earlier moment would be old. */
const USEFUL_MS = 10_000;
const asked = new Map<string, Promise<Response>>();

/** The URL of the server that has served this page. In development Vite serves it, and passes /api on to the server. */
export const SITE = document.documentElement.dataset.site || `${window.location.origin}/api`;

/** What each request of `Api` sends. */
export const READS: RequestInit = { headers: { Accept: "application/json" }, credentials: "same-origin" };

/** Read these paths, the most important first. */
export function askAhead(paths: readonly string[]): void {
  for (const path of paths) {
    const answer = fetch(SITE + path, READS);
    answer.catch(() => {});
    asked.set(SITE + path, answer);
  }
  setTimeout(() => asked.clear(), USEFUL_MS);
}

/** The answer to a read that was sent ahead, for the first that wants it. */
export function takeAhead(url: string, { method, cache }: RequestInit): Promise<Response> | undefined {
  if (method !== "GET" || cache) return undefined;
  const answer = asked.get(url);
  asked.delete(url);
  return answer;
}
