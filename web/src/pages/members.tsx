/** Who may do what in a project. */
import type { components } from "../api/operations.ts";
import { ListSection } from "../components/listed.tsx";
import { Pending } from "../components/pending.tsx";
import { Groups } from "../people/groups.tsx";
import { Identities } from "../people/identities.tsx";
import { AddMember, MembersTable } from "../people/members.tsx";
import { useHeading } from "../state/heading.ts";
import { rightsOn } from "../state/rights.ts";
import { NEEDS_SIGN_IN, PROVIDER } from "../state/session.ts";
import { useGet, useList } from "../state/use.ts";
import type { PageProps } from "./registry.ts";

type Project = components["schemas"]["Project"];

export default function MembersPage({ ids }: PageProps) {
  const { data, error } = useGet("/projects/{project_id}", { ids: { project_id: ids.projectId ?? "" } });
  return data && !error ? <Members project={data} /> : <Pending error={error} />;
}

function Members({ project }: { project: Project }) {
  useHeading("Members", [{ label: project.name, to: `/projects/${project.id}` }]);
  const list = useList("/projects/{project_id}/permissions", { ids: { project_id: project.id } });
  const { manage } = rightsOn(project.id);
  return (
    <>
      <h1>Members of {project.name}</h1>
      <ListSection title="Members" list={list} actions={manage ? <AddMember projectId={project.id} /> : null}>
        {(members) => <MembersTable projectId={project.id} members={members} manage={manage} />}
      </ListSection>
      {PROVIDER ? <Groups projectId={project.id} manage={manage} /> : null}
      {manage && NEEDS_SIGN_IN ? <Identities projectId={project.id} /> : null}
      <p class="note">
        Admins may do everything. {manage ? null : "A user with all four permissions, or an admin, can change them."}
      </p>
    </>
  );
}
