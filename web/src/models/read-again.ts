import { cache } from "../state/use.ts";

/** A change of a version shows at its model, the other versions, and the models of the project. */
export function readAgain(modelId: string): void {
  for (const prefix of [`/models/${modelId}`, "/modelversions/", "/projects/"]) cache.invalidate(prefix);
}
