/** An experiment: the table of its iterations. */
import { Link, Loading } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { ExperimentStatus } from "../components/status.tsx";
import { useHeading } from "../state/heading.ts";
import { useGet, useList } from "../state/use.ts";
import { Iterations } from "../table/index.tsx";
import type { PageProps } from "./registry.ts";

export default function ExperimentPage({ ids }: PageProps) {
  const given = { ids: { experiment_id: ids.experimentId ?? "" } };
  const experiment = useGet("/experiments/{experiment_id}", given);
  const project = useProject(experiment.data?.project_id);
  useHeading(experiment.data?.name, [project]);
  if (experiment.error) return <ErrorBox error={experiment.error} />;
  if (!experiment.data) return <Loading />;
  const { id, name, description, project_id, status_id } = experiment.data;
  return (
    <>
      <header class="page-head">
        <h1>
          {name} <ExperimentStatus id={status_id} />
        </h1>
        <Link class="button" to={`/experiments/${id}/charts`}>
          Charts
        </Link>
      </header>
      {description ? <p class="description">{description}</p> : null}
      <Iterations experimentId={id} experimentName={name} projectId={project_id} />
    </>
  );
}

function useProject(id: string | undefined) {
  const list = useList("/projects", {});
  const found = list.data?.find((each) => each.id === id);
  return found && { label: found.name, to: `/projects/${found.id}` };
}
