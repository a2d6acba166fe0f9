/** What has changed in iterations that are shown, as the server's feed tells it. */
import type { components } from "../api/operations.ts";
import { api } from "../state/api.ts";

type Schemas = components["schemas"];
export type ChangedRow = Schemas["IterationOverview"];

const AFTER_ERROR_SECONDS = 30;
const MOST = 200;

/** Ask again and again, as often as the server says, while the page is visible. Call the result to stop. */
export function follow(experimentId: string, ids: readonly string[], onRows: (rows: ChangedRow[]) => void): () => void {
  const stop = new AbortController();
  let since: string | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async () => {
    const answer = await changes(experimentId, ids, since, stop.signal);
    since = answer.reset ? undefined : answer.next_since;
    if (answer.data.length) onRows(answer.data);
    return answer.poll_after_seconds;
  };
  const turn = async () => {
    const seconds = document.visibilityState === "visible" ? await ask().catch(() => AFTER_ERROR_SECONDS) : 1;
    if (!stop.signal.aborted) timer = setTimeout(turn, 1000 * seconds);
  };
  void turn();
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}

function changes(experimentId: string, ids: readonly string[], since: string | undefined, signal: AbortSignal) {
  const query = { iteration_id: ids.slice(0, MOST), parameters: [""], ...(since ? { since } : {}) };
  const given = { ids: { experiment_id: experimentId }, query, signal };
  return api.send("get", "/experiments/{experiment_id}/iterations/changes", given) as Promise<
    Schemas["ChangedIterations"]
  >;
}
