/** The bytes of a file, by a URL that the server signs for it. */
import { api } from "../../state/api.ts";
import type { Schemas } from "./part.ts";

type Resource = Schemas["Resource"];

async function signedUrl(id: string, signal?: AbortSignal): Promise<string> {
  const given = { ids: { resource_id: id }, ...(signal ? { signal } : {}) };
  return ((await api.get("/resources/{resource_id}/download", given as never)) as Schemas["Download"]).url;
}

export async function bytesOf(id: string, signal?: AbortSignal): Promise<Blob> {
  return api.bytes(await signedUrl(id, signal), signal);
}

/** Save it to the user's disk. A store sends it straight there, whatever its size; this server's bytes pass the page. */
export async function download(file: Pick<Resource, "id" | "name">): Promise<void> {
  const url = await signedUrl(file.id);
  if (!url.startsWith(`${api.site}/`)) return click(url, file.name);
  const object = URL.createObjectURL(await api.bytes(url));
  click(object, file.name);
  setTimeout(() => URL.revokeObjectURL(object), 60_000);
}

function click(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name.split("/").at(-1) ?? name;
  link.rel = "noopener";
  link.click();
}
