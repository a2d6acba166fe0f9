/** The version of a model that is in production, read when its row comes onto the screen. */
import { useRef } from "preact/hooks";
import { PRODUCTION } from "../api/words.ts";
import { Link } from "../components/basics.tsx";
import { useSeen } from "../state/seen.ts";
import { useList } from "../state/use.ts";

export function InProduction({ modelId }: { modelId: string }) {
  const place = useRef<HTMLSpanElement>(null);
  const seen = useSeen(place);
  return <span ref={place}>{seen ? <Known modelId={modelId} /> : "…"}</span>;
}

function Known({ modelId }: { modelId: string }) {
  const given = { ids: { model_id: modelId }, query: { stage: PRODUCTION } };
  const { data } = useList("/models/{model_id}/versions", given);
  const version = data?.[0];
  if (!version) return <span class="note">{data ? "none" : "…"}</span>;
  return (
    <>
      <Link to={`/modelversions/${version.id}`}>Version {version.version}</Link>
      {version.resource_id ? null : <span class="note"> no file</span>}
    </>
  );
}
