/** The charts of an experiment, on a page of their own. */
import { ExperimentCharts } from "../charts/index.tsx";
import { Loading } from "../components/basics.tsx";
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
  if (!data) return <Loading />;
  return (
    <>
      <h1>Charts of {data.name}</h1>
      <ExperimentCharts experimentId={id} />
    </>
  );
}
