/** Writes of the head: the answer is shown at once, without reading again. */
import type { Request } from "../../api/operations.ts";
import { urlOf } from "../../api/url.ts";
import { api } from "../../state/api.ts";
import { cache } from "../../state/use.ts";

type Changes = NonNullable<Request<"patch", "/iterations/{iteration_id}">["body"]>;

export async function save(id: string, body: Changes): Promise<void> {
  const ids = { iteration_id: id };
  const answer = await api.patch("/iterations/{iteration_id}", { ids, body });
  cache.put(urlOf("/iterations/{iteration_id}", ids), answer);
}
