/** An experiment: the table of its iterations. */
import { RulesButton } from "../alerts/rules-button.tsx";
import type { components } from "../api/operations.ts";
import { urlOf } from "../api/url.ts";
import { chartsQuery } from "../charts/of-table.ts";
import { Link } from "../components/basics.tsx";
import { DeleteButton } from "../components/delete-button.tsx";
import { type Changes, ObjectHead } from "../components/object-head.tsx";
import { Pending } from "../components/pending.tsx";
import { ShareButton } from "../components/share.tsx";
import { ExperimentStatus } from "../components/status.tsx";
import { FilesInUse } from "../models/files-in-use.tsx";
import { api } from "../state/api.ts";
import { useHeading } from "../state/heading.ts";
import { rightsOn } from "../state/rights.ts";
import { go, location } from "../state/route.ts";
import { SECRET } from "../state/share.ts";
import { cache, useGet, useList } from "../state/use.ts";
import { Iterations } from "../table/index.tsx";
import { ChangeStatus } from "./experiment-status.tsx";
import type { PageProps } from "./registry.ts";

type Experiment = components["schemas"]["Experiment"];
const PATH = "/experiments/{experiment_id}";

/** The table needs nothing of the experiment but its id: both are read at once. */
export default function ExperimentPage({ ids }: PageProps) {
  const id = ids.experimentId ?? "";
  const { data, error } = useGet(PATH, { ids: { experiment_id: id } });
  useHeading(data?.name, [useProject(data?.project_id)]);
  if (error) return <Pending error={error} />;
  return (
    <>
      {data ? <Head experiment={data} /> : <div class="object-head is-awaited" aria-hidden="true" />}
      <Iterations experimentId={id} experimentName={data?.name} projectId={data?.project_id} />
    </>
  );
}

function Head({ experiment }: { experiment: Experiment }) {
  const { id, name, description, project_id, status_id } = experiment;
  const given = { ids: { experiment_id: id } };
  const rights = rightsOn(project_id);
  const save = async (body: Changes) => {
    cache.put(urlOf(PATH, given.ids), await api.patch(PATH, { ...given, body }));
  };
  const remove = async () => {
    await api.delete(PATH, given);
    cache.invalidate(`/projects/${project_id}/experiments`);
    go(`/projects/${project_id}`);
  };
  return (
    <ObjectHead
      title={
        <>
          {name} <ExperimentStatus id={status_id} />
        </>
      }
      name={name}
      description={description}
      labels={experiment.labels ?? {}}
      may={rights.update}
      save={save}
      actions={
        <>
          <Link class="button" to={`/experiments/${id}/charts`} query={chartsQuery(location.value.query)}>
            Charts
          </Link>
          {rights.update ? <ShareButton projectId={project_id} shared={{ experimentId: id }} /> : null}
          {rights.update ? <ChangeStatus experiment={experiment} /> : null}
          {rights.update ? <RulesButton owner={{ experimentId: id }} /> : null}
          {rights.delete ? (
            <DeleteButton what="experiment" name={name} and="with all its iterations" remove={remove}>
              <FilesInUse experimentId={id} deleted="experiment" />
            </DeleteButton>
          ) : null}
        </>
      }
    />
  );
}

function useProject(id: string | undefined) {
  const list = useList("/projects", {}, { when: id !== undefined && !SECRET });
  const found = list.data?.find((each) => each.id === id);
  return found && { label: found.name, to: `/projects/${found.id}` };
}
