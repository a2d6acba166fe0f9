/** The keys for columns and suggestions. The rows are not kept waiting for them. */
import { useMemo, useRef } from "preact/hooks";
import { urlOf } from "../../api/url.ts";
import { api } from "../../state/api.ts";
import { useLoaded } from "../../state/use.ts";
import { extended, keysOfRows, mayLack, NO_KEYS } from "./keys.ts";
import type { Keys } from "./model.ts";
import type { State } from "./table-data.ts";

const PATH = "/experiments/{experiment_id}/keys";

/** Those of the rows. Where there are further rows, or keys that were not read, the server counts all. */
export function useKeys(experimentId: string, filter: string, { rows, isKnown, isStarting, hasMore }: State): Keys {
  const own = useMemo(() => keysOfRows(rows), [rows]);
  const isAsked = isKnown && !isStarting && (hasMore || !!filter || mayLack(own));
  const ids = { experiment_id: experimentId };
  const counted = useLoaded<Keys>(isAsked ? urlOf(PATH, ids) : "no keys", async (signal) =>
    isAsked ? api.send("get", PATH, { ids, signal }) : NO_KEYS,
  ).data;
  const known = useRef({ experimentId, keys: NO_KEYS });
  if (known.current.experimentId !== experimentId) known.current = { experimentId, keys: NO_KEYS };
  known.current.keys = extended(extended(known.current.keys, own), counted ?? NO_KEYS);
  return known.current.keys;
}
