/** The share that this tab shows. Its link is `#/s/SECRET`, and all its pages stay behind that. */
import { signal } from "@preact/signals";
import type { Api } from "../api/client.ts";
import { secretOf, within } from "./location.ts";

/** Undefined in a tab that shows no share. */
export const SECRET = secretOf(window.location.hash);
if (SECRET) within(`/s/${SECRET}`);

// Another share, or none, is another page: nothing that this one has read may stay.
window.addEventListener("hashchange", () => {
  if (secretOf(window.location.hash) !== SECRET) window.location.reload();
});

export interface Opened {
  access_token: string;
  experiment_id: string | null;
  iteration_ids: readonly string[];
  expires_at: string;
}

export const opened = signal<Opened | undefined>(undefined);
/** Why the share shows nothing any more. */
export const ended = signal<unknown>(undefined);

/** Open the share of this tab, and again when its session has ended. */
export async function openShare(api: Api): Promise<void> {
  try {
    opened.value = await api.post("/auth/share", { body: { secret: SECRET ?? "" } });
  } catch (error) {
    ended.value = error;
    throw error;
  }
}

/** A request of this page as one of the share. The browser's own session takes no part, and a store gets no token. */
export function ofShare(options: RequestInit = {}): RequestInit {
  const token = opened.peek()?.access_token;
  if (!SECRET || options.credentials === "omit") return options;
  const headers = {
    ...(options.headers as Record<string, string>),
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
  };
  return { ...options, headers, credentials: "omit" };
}

/** True if the share shows all of this experiment. */
export function showsExperiment(id: string | undefined): boolean {
  return !SECRET || opened.value?.experiment_id === id;
}

/** The page of what is shared. */
export function homeOf({ experiment_id, iteration_ids }: Opened): [string, Record<string, string>?] {
  if (experiment_id) return [`/experiments/${experiment_id}`];
  return iteration_ids.length === 1
    ? [`/iterations/${iteration_ids[0]}`]
    : ["/compare", { iterations: iteration_ids.join() }];
}
