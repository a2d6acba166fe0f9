/** The charts of an experiment, on a page of their own. */
import ExperimentCharts from "../charts/experiment-charts.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { useHeading } from "../state/heading.ts";
import { useGet } from "../state/use.ts";
import { useExperiment } from "./parents.ts";
import type { PageProps } from "./registry.ts";

export default function ExperimentChartsPage({ ids }: PageProps) {
  const id = ids.experimentId ?? "";
  const { data, error } = useGet("/experiments/{experiment_id}", { ids: { experiment_id: id } });
  const { crumbs } = useExperiment(id);
  useHeading(data && "Charts", crumbs);
  if (error) return <ErrorBox error={error} />;
  // The charts read at the same time as their heading.
  return (
    <>
      <h1>Charts{data ? ` of ${data.name}` : ""}</h1>
      <ExperimentCharts experimentId={id} />
    </>
  );
}
