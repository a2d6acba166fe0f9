/** The words for the numbers of the API. A number that the server adds is a type error here. */
import type { components } from "./operations.ts";

type Schemas = components["schemas"];

export const ITERATION_STATUS = {
  1: "running",
  2: "succeeded",
  3: "failed",
  4: "killed",
} as const satisfies Record<Schemas["IterationStatus"], string>;

/** IN_PROGRESS means that it takes new iterations, not that one runs. */
export const EXPERIMENT_STATUS = {
  1: "open",
  2: "stopped",
  3: "finished",
} as const satisfies Record<Schemas["ExperimentStatus"], string>;

export const STAGE = {
  1: "no stage",
  2: "staging",
  3: "production",
  4: "archived",
} as const satisfies Record<Schemas["Stage"], string>;

export const RUNNING: Schemas["IterationStatus"] = 1;

export const KILLED: Schemas["IterationStatus"] = 4;

export const PRODUCTION: Schemas["Stage"] = 3;
