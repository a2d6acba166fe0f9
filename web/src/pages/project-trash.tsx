/** The deleted experiments, iterations, files and models of a project. */
import type { components } from "../api/operations.ts";
import { Pending } from "../components/pending.tsx";
import { useHeading } from "../state/heading.ts";
import { rightsOn } from "../state/rights.ts";
import { useGet, useList } from "../state/use.ts";
import { TrashTable } from "../trash/trash-table.tsx";
import type { PageProps } from "./registry.ts";

type Project = components["schemas"]["Project"];

export default function ProjectTrashPage({ ids }: PageProps) {
  const { data, error } = useGet("/projects/{project_id}", { ids: { project_id: ids.projectId ?? "" } });
  return data && !error ? <ProjectTrash project={data} /> : <Pending error={error} />;
}

function ProjectTrash({ project }: { project: Project }) {
  useHeading("Trash", [{ label: project.name, to: `/projects/${project.id}` }]);
  const given = { ids: { project_id: project.id } };
  const list = useList("/projects/{project_id}/trash", given);
  const members = useList("/projects/{project_id}/permissions", given);
  const nameOf = (id: string) => members.data?.find((each) => each.user_id === id)?.username;
  return (
    <>
      <h1>Trash of {project.name}</h1>
      <TrashTable list={list} mayDelete={rightsOn(project.id).delete} nameOf={nameOf} />
    </>
  );
}
