/** A project: its experiments and its models. */
import { Empty, Link, Loading, Section } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { ExperimentStatus } from "../components/status.tsx";
import { Time } from "../components/time.tsx";
import { useHeading } from "../state/heading.ts";
import { useGet, useList } from "../state/use.ts";
import type { PageProps } from "./registry.ts";

export default function ProjectPage({ ids }: PageProps) {
  const given = { ids: { project_id: ids.projectId ?? "" } };
  const project = useGet("/projects/{project_id}", given);
  useHeading(project.data?.name);
  if (project.error) return <ErrorBox error={project.error} />;
  if (!project.data) return <Loading />;
  return (
    <>
      <h1>{project.data.name}</h1>
      {project.data.description ? <p class="description">{project.data.description}</p> : null}
      <p class="links">
        <Link to={`/projects/${project.data.id}/members`}>Members</Link>
        <Link to={`/projects/${project.data.id}/trash`}>Trash</Link>
      </p>
      <Experiments given={given} />
      <Models given={given} />
    </>
  );
}

interface Given {
  given: { ids: { project_id: string } };
}

function Experiments({ given }: Given) {
  const list = useList("/projects/{project_id}/experiments", given);
  return (
    <Section title="Experiments" count={list.data?.length}>
      {list.error ? <ErrorBox error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Loading /> : null}
      {list.data?.length ? (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Status</th>
              <th scope="col" class="number">
                Created
              </th>
            </tr>
          </thead>
          <tbody>
            {list.data.toReversed().map((each) => (
              <tr key={each.id}>
                <th scope="row">
                  <Link to={`/experiments/${each.id}`}>{each.name}</Link>
                  {each.description ? <p class="note clamp">{each.description}</p> : null}
                </th>
                <td>
                  <ExperimentStatus id={each.status_id} />
                </td>
                <td class="number">
                  <Time at={each.created_date} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        list.data && <Empty title="No experiments yet">Log an iteration to create one.</Empty>
      )}
    </Section>
  );
}

function Models({ given }: Given) {
  const list = useList("/projects/{project_id}/models", given);
  return (
    <Section title="Models" count={list.data?.length}>
      {list.error ? <ErrorBox error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Loading /> : null}
      {list.data?.length ? (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Aliases</th>
              <th scope="col" class="number">
                Changed
              </th>
            </tr>
          </thead>
          <tbody>
            {list.data.map((each) => (
              <tr key={each.id}>
                <th scope="row">
                  <Link to={`/models/${each.id}`}>{each.name}</Link>
                </th>
                <td>
                  {Object.entries(each.aliases ?? {}).map(([alias, version]) => (
                    <span class="tag" key={alias}>
                      {alias} → {version}
                    </span>
                  ))}
                </td>
                <td class="number">
                  <Time at={each.updated_date ?? each.created_date} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        list.data && <Empty title="No models yet">An iteration registers one with register_model(…).</Empty>
      )}
    </Section>
  );
}
