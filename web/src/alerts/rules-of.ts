/** The alert rules of a project or an experiment, read and written as a whole. */
import type { components } from "../api/operations.ts";
import { api } from "../state/api.ts";

type Schemas = components["schemas"];
export type Level = NonNullable<Schemas["NewRule"]["level"]>;
export type Rule = Schemas["AlertRule"];
export type Owner = { projectId: string } | { experimentId: string };

const OF_PROJECT = "/projects/{project_id}/alert-rules";
const OF_EXPERIMENT = "/experiments/{experiment_id}/alert-rules";

export async function readRules(owner: Owner): Promise<Rule[]> {
  const read =
    "projectId" in owner
      ? api.get(OF_PROJECT, { ids: { project_id: owner.projectId } })
      : api.get(OF_EXPERIMENT, { ids: { experiment_id: owner.experimentId } });
  return (await read).rules;
}

/** Replace the rules `before`. An error if another request has changed them meanwhile. */
export async function replaceRules(owner: Owner, before: readonly Rule[], rules: readonly Rule[]): Promise<void> {
  if (textOf(await readRules(owner)) !== textOf(before))
    throw new Error("These rules have changed since you opened them. Close this dialog, and open it again.");
  const body = { rules: rules.map((each) => ({ ...each, level: each.level as Level })) };
  if ("projectId" in owner) await api.put(OF_PROJECT, { ids: { project_id: owner.projectId }, body });
  else await api.put(OF_EXPERIMENT, { ids: { experiment_id: owner.experimentId }, body });
}

function textOf(rules: readonly Rule[]): string {
  return JSON.stringify(rules.map(({ name, condition, level }) => [name, condition, level]));
}
