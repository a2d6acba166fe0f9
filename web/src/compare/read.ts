/** What a comparison knows of its iterations. The cost does not depend on how many others their experiments have. */
import { useRef } from "preact/hooks";
import type { components, ListPath, Request, Row } from "../api/operations.ts";
import { api } from "../state/api.ts";
import { type Shown, useLoaded } from "../state/use.ts";

type Schemas = components["schemas"];

export interface Compared {
  iteration: Schemas["Iteration"];
  parameters: Readonly<Record<string, string>>;
  metrics: Readonly<Record<string, Schemas["MetricSummary"]>>;
  tags: readonly string[];
}

/** One that cannot be read is an error beside the others. */
export type Outcome = { id: string; found: Compared } | { id: string; error: unknown };

const SECONDS = 15;

/** These iterations; those that run are read again. */
export function useCompared(ids: readonly string[]): Shown<Outcome[]> {
  const ended = useRef(new Map<string, Outcome>());
  const read = async (id: string): Promise<Outcome> => {
    const known = ended.current.get(id);
    if (known) return known;
    const outcome = await readOutcome(id);
    if ("found" in outcome && outcome.found.iteration.end_date) ended.current.set(id, outcome);
    return outcome;
  };
  return useLoaded<Outcome[]>(`compared ${ids.join()}`, () => Promise.all(ids.map(read)), { every: SECONDS });
}

async function readOutcome(id: string): Promise<Outcome> {
  try {
    return { id, found: await readCompared(id) };
  } catch (error) {
    return { id, error };
  }
}

async function readCompared(id: string): Promise<Compared> {
  const ids = { iteration_id: id };
  const [iteration, summaries, parameters, tags] = await Promise.all([
    api.get("/iterations/{iteration_id}", { ids }),
    api.get("/iterations/{iteration_id}/metrics/summary", { ids }),
    rowsOf("/iterations/{iteration_id}/parameters", { ids }),
    rowsOf("/iterations/{iteration_id}/tags", { ids }),
  ]);
  return {
    iteration,
    metrics: summaries.data,
    parameters: Object.fromEntries(parameters.map((each) => [each.key, each.value])),
    tags: tags.map((each) => each.value),
  };
}

async function rowsOf<P extends ListPath>(path: P, given: Request<"get", P>): Promise<Row<P>[]> {
  const rows: Row<P>[] = [];
  for await (const page of api.pages(path, given)) rows.push(...page);
  return rows;
}
