/** The charts of iterations that the page names. */
import { Loading } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { Charts } from "./charts.tsx";
import { useRunsById } from "./rows.ts";

export default function GivenCharts({ ids }: { ids: readonly string[] }) {
  const { data, error } = useRunsById(ids);
  if (!data) return error ? <ErrorBox error={error} /> : <Loading />;
  return <Charts runs={data} shown={ids} />;
}
