/** A project: its experiments and its models. */
import { RulesButton } from "../alerts/rules-button.tsx";
import type { components } from "../api/operations.ts";
import { urlOf } from "../api/url.ts";
import { Empty, Link } from "../components/basics.tsx";
import { DeleteButton } from "../components/delete-button.tsx";
import { ListSection, Table, TableSection } from "../components/listed.tsx";
import { type Changes, ObjectHead } from "../components/object-head.tsx";
import { Pending } from "../components/pending.tsx";
import { ExperimentStatus } from "../components/status.tsx";
import { Time } from "../components/time.tsx";
import { CreateModel } from "../models/create-model.tsx";
import { InProduction } from "../models/in-production.tsx";
import { api } from "../state/api.ts";
import { useHeading } from "../state/heading.ts";
import { rightsOn } from "../state/rights.ts";
import { go } from "../state/route.ts";
import { cache, useGet, useList } from "../state/use.ts";
import type { PageProps } from "./registry.ts";
import { MOST_RUNNING, useRunning } from "./running.ts";

type Project = components["schemas"]["Project"];
const PATH = "/projects/{project_id}";

export default function ProjectPage({ ids }: PageProps) {
  const { data, error } = useGet(PATH, { ids: { project_id: ids.projectId ?? "" } });
  return data && !error ? <ProjectShown project={data} /> : <Pending error={error} />;
}

function ProjectShown({ project }: { project: Project }) {
  useHeading(project.name);
  const given = { ids: { project_id: project.id } };
  const rights = rightsOn(project.id);
  const save = async (body: Changes) => {
    cache.put(urlOf(PATH, given.ids), await api.patch(PATH, { ...given, body }));
    cache.invalidate("/projects all");
  };
  const remove = async () => {
    await api.delete(PATH, given);
    cache.invalidate("/projects");
    go("/");
  };
  return (
    <>
      <ObjectHead
        title={project.name}
        name={project.name}
        description={project.description}
        labels={project.labels ?? {}}
        may={rights.update}
        save={save}
        actions={
          <>
            {rights.update ? <RulesButton owner={{ projectId: project.id }} /> : null}
            {rights.delete ? (
              <DeleteButton what="project" name={project.name} and="with everything in it" remove={remove} />
            ) : null}
          </>
        }
      />
      <p class="links">
        <Link to={`/projects/${project.id}/members`}>Members</Link>
        <Link to={`/projects/${project.id}/trash`}>Trash</Link>
      </p>
      <Experiments given={given} />
      <Models given={given} mayCreate={rights.create} />
    </>
  );
}

interface Given {
  given: { ids: { project_id: string } };
}

function Experiments({ given }: Given) {
  const list = useList("/projects/{project_id}/experiments", given);
  const running = useRunning(given.ids.project_id).data ?? [];
  return (
    <ListSection
      title="Experiments"
      list={list}
      empty={<Empty title="No experiments yet">Log an iteration to create one.</Empty>}
    >
      {(rows) => (
        <Table label="Experiments" class="objects stacked" head={["Name", "Status", { number: "Created" }]}>
          {rows.toReversed().map((each) => (
            <tr key={each.id}>
              <th scope="row">
                <Link to={`/experiments/${each.id}`}>{each.name}</Link>
                {each.description ? <p class="note clamp">{each.description}</p> : null}
              </th>
              <td>
                <ExperimentStatus id={each.status_id} />
                <RunningIn experimentId={each.id} running={running} />
              </td>
              <td class="number">
                <Time at={each.created_date} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </ListSection>
  );
}

/** How many iterations run in the experiment, of the newest that run in the project. */
function RunningIn({ experimentId, running }: { experimentId: string; running: readonly { experiment_id: string }[] }) {
  const count = running.filter((each) => each.experiment_id === experimentId).length;
  if (!count) return null;
  const orMore = running.length === MOST_RUNNING ? " or more" : "";
  return <span class="note running-count">{`${count}${orMore} running`}</span>;
}

function Models({ given, mayCreate }: Given & { mayCreate: boolean }) {
  const list = useList("/projects/{project_id}/models", given);
  return (
    <TableSection
      title="Models"
      list={list}
      class="objects stacked"
      head={["Name", "In production", "Aliases", { number: "Changed" }]}
      actions={mayCreate ? <CreateModel projectId={given.ids.project_id} /> : null}
      empty={<Empty title="No models yet">An iteration registers one with register_model(…).</Empty>}
      row={(each) => (
        <tr key={each.id}>
          <th scope="row">
            <Link to={`/models/${each.id}`}>{each.name}</Link>
            {each.description ? <p class="note clamp">{each.description}</p> : null}
          </th>
          <td data-label="In production">
            <InProduction modelId={each.id} />
          </td>
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
      )}
    />
  );
}
