/** What every part of the page gets. */
import type { components } from "../../api/operations.ts";
import type { Rights } from "../../state/rights.ts";

export type Schemas = components["schemas"];
export type Iteration = Schemas["Iteration"];

export interface PartProps {
  iteration: Iteration;
  /** The project, as soon as it is known. */
  projectId: string | undefined;
  rights: Rights;
  running: boolean;
  /** Grows with each sign of life of the program. */
  news: number;
}
