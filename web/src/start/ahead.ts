/** Requests that the first script sends before the code that needs their answers is here. */

/** Later the answer would be old. The first answer of the changes feed has what was edited in the last minute. */
const USEFUL_MS = 30_000;
const asked = new Map<string, Promise<Response>>();

/** The URL of the server that has served this page. In development Vite serves it, and passes /api on to the server. */
export const SITE = document.documentElement.dataset.site || `${window.location.origin}/api`;

/** What each request of `Api` sends. */
export const READS: RequestInit = { headers: { Accept: "application/json" }, credentials: "same-origin" };

/** Read these paths, the most important first. */
export function askAhead(paths: readonly string[]): void {
  for (const url of paths.map((path) => SITE + path)) {
    const answer = fetch(url, READS);
    asked.set(url, answer);
    const forgetLater = () => setTimeout(() => asked.delete(url), USEFUL_MS);
    answer.then(forgetLater, forgetLater);
  }
}

/** The answer to a read that was sent ahead, for the first that wants it. */
export function takeAhead(url: string, { method, cache }: RequestInit): Promise<Response> | undefined {
  if (method !== "GET" || cache) return undefined;
  const answer = asked.get(url);
  asked.delete(url);
  return answer;
}
