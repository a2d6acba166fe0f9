/** States as a word with a mark; the mark's shape says the same as its colour. */
import type { components } from "../api/operations.ts";
import { EXPERIMENT_STATUS, ITERATION_STATUS, STAGE } from "../api/words.ts";

type Schemas = components["schemas"];

export function IterationStatus({ id }: { id: Schemas["IterationStatus"] }) {
  return <span class={`status is-${ITERATION_STATUS[id]}`}>{ITERATION_STATUS[id]}</span>;
}

export function ExperimentStatus({ id }: { id: Schemas["ExperimentStatus"] }) {
  return <span class={`status is-${EXPERIMENT_STATUS[id]}`}>{EXPERIMENT_STATUS[id]}</span>;
}

export function Stage({ id }: { id: Schemas["Stage"] }) {
  return <span class={`status is-${STAGE[id].replace(" ", "-")}`}>{STAGE[id]}</span>;
}
