/** The experiment and the project above a page. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { api } from "../state/api.ts";
import type { Crumb } from "../state/heading.ts";
import { SECRET, showsExperiment } from "../state/share.ts";
import { cache, useLoaded } from "../state/use.ts";

type Schemas = components["schemas"];
type Experiment = Schemas["Experiment"];
type Project = Schemas["Project"];

/** They are read once: their names are not what one looks at here. */
export function useExperiment(id: string | undefined): { experiment: Experiment | undefined; crumbs: Crumb[] } {
  const experiment = useKnown<Experiment>(id && showsExperiment(id) && `/experiments/${encodeURIComponent(id)}`);
  const projectId = experiment?.project_id;
  const project = useKnown<Project>(!SECRET && projectId && `/projects/${encodeURIComponent(projectId)}`);
  const crumbs = [
    ...(project ? [{ label: project.name, to: `/projects/${project.id}` }] : []),
    ...(experiment ? [{ label: experiment.name, to: `/experiments/${experiment.id}` }] : []),
  ];
  return { experiment, crumbs };
}

const names = signal<ReadonlyMap<string, string>>(new Map());
const asked = new Set<string>();

/** The names of experiments by their ids, each read once. One that cannot be read has none. */
export function useExperimentNames(ids: readonly string[]): ReadonlyMap<string, string> {
  useEffect(() => {
    for (const id of ids) if (!asked.has(id)) void readName(id);
  }, [ids.join()]);
  return names.value;
}

async function readName(id: string): Promise<void> {
  asked.add(id);
  try {
    const { name } = await api.get("/experiments/{experiment_id}", { ids: { experiment_id: id } });
    names.value = new Map(names.peek()).set(id, name);
  } catch {
    asked.delete(id);
  }
}

function useKnown<T>(path: string | false | undefined): T | undefined {
  const load = async (signal: AbortSignal) => (path ? await api.send("get", path, { signal }) : undefined);
  return useLoaded<T | undefined>(path || "nothing to read", load).data ?? (path ? cache.peek<T>(path) : undefined);
}
