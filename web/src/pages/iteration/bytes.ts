/** The bytes of a file, by a URL that the server signs for it. */
import { api } from "../../state/api.ts";

export async function bytesOf(id: string, signal: AbortSignal): Promise<Blob> {
  const { url } = await api.get("/resources/{resource_id}/download", { ids: { resource_id: id } });
  return api.bytes(url, signal);
}
