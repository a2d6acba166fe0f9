/** The file of a resource, to save. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { api } from "../state/api.ts";
import { Button } from "./basics.tsx";
import { ErrorBox } from "./error-box.tsx";
import { formatBytes } from "./format.ts";

type Resource = components["schemas"]["Resource"];

export function Download({ resource }: { resource: Resource }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  if (resource.state !== "ready") return <span class="note">The upload is not complete.</span>;
  const download = async () => {
    setBusy(true);
    setError(undefined);
    await save(resource).catch(setError);
    setBusy(false);
  };
  return (
    <>
      <Button onClick={download} disabled={busy} aria-label={`Download ${resource.name}`}>
        Download <span class="count">{formatBytes(resource.size_bytes)}</span>
      </Button>
      {error ? <ErrorBox error={error} /> : null}
    </>
  );
}

async function save(resource: Resource): Promise<void> {
  const { url } = await api.get("/resources/{resource_id}/download", { ids: { resource_id: resource.id } });
  if (!isOwn(url)) return follow(url, resource.name);
  // API Gateway passes bytes only to a request that accepts exactly this type, which a link does not.
  const local = URL.createObjectURL(await api.bytes(url));
  follow(local, resource.name);
  setTimeout(() => URL.revokeObjectURL(local), 10_000);
}

/** True if this server has the bytes, false if the object store has them: it names the file itself. */
function isOwn(url: string): boolean {
  return new URL(url, api.site).origin === new URL(api.site).origin;
}

function follow(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}
