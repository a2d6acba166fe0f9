/** The state of the table in the URL; what the user prefers for this experiment where the URL does not say. */
import { useMemo } from "preact/hooks";
import { prefer, preferences } from "../state/preferences.ts";
import { location, setQuery } from "../state/route.ts";
import { KEPT_NAMES, type Kept, PREFERENCE, type Query, stateOf } from "./settings.ts";

/** Preferences have 64 KiB in all. */
const MOST_TABLES = 8;
const MOST_CHARACTERS = 4000;
const WAIT_MS = 800;

export function useTableState(experimentId: string): [Query, (changes: Query) => void] {
  const { query } = location.value;
  const kept = preferences.value;
  const state = useMemo(() => stateOf(query, kept, experimentId), [query, kept, experimentId]);
  const change = (changes: Query) => {
    const next = { ...state, ...changes };
    // A change to one of these puts all of them into the URL, so that a link shows the same.
    const isKept = KEPT_NAMES.some((name) => name in changes);
    setQuery(isKept ? { ...changes, ...pick(next) } : (changes as Record<string, string | undefined>));
    if (isKept) keepLater(experimentId, pick(next));
  };
  return [state, change];
}

function pick(state: Query): Record<string, string | undefined> {
  return Object.fromEntries(KEPT_NAMES.map((name) => [name, state[name] || undefined]));
}

let timer: ReturnType<typeof setTimeout> | undefined;

/** Dragging changes a width many times. */
function keepLater(experimentId: string, state: Record<string, string | undefined>): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const { [experimentId]: _, ...others } = (preferences.peek()[PREFERENCE] ?? {}) as Kept;
    const mine = JSON.parse(JSON.stringify(state)) as Record<string, string>;
    const isSmall = JSON.stringify(mine).length <= MOST_CHARACTERS;
    const newest = Object.entries(others).slice(0, MOST_TABLES - 1);
    const tables = Object.fromEntries([...(isSmall ? [[experimentId, mine] as const] : []), ...newest]);
    prefer(PREFERENCE, tables).catch(() => {
      // The URL has it; the next change is kept again.
    });
  }, WAIT_MS);
}
