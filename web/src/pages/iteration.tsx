/** An iteration: its head, and one part of it at a time, which the URL names. */
import { RUNNING } from "../api/words.ts";
import { Loading } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { useHeading } from "../state/heading.ts";
import { rightsOn } from "../state/rights.ts";
import { useGet } from "../state/use.ts";
import { Head } from "./iteration/head.tsx";
import { useNews } from "./iteration/live.ts";
import { Tabs } from "./iteration/tabs.tsx";
import { useExperiment } from "./parents.ts";
import type { PageProps } from "./registry.ts";

export default function IterationPage({ ids }: PageProps) {
  const id = ids.iterationId ?? "";
  const { data, error } = useGet("/iterations/{iteration_id}", { ids: { iteration_id: id } });
  const news = useNews(data);
  const { experiment, crumbs } = useExperiment(data?.experiment_id);
  useHeading(data?.name, crumbs);
  if (!data) return error ? <ErrorBox error={error} /> : <Loading />;
  const projectId = experiment?.project_id;
  const running = data.status_id === RUNNING;
  const part = { iteration: data, projectId, rights: rightsOn(projectId), running, news };
  return (
    <div class="iteration">
      {error ? <ErrorBox error={error} /> : null}
      <Head {...part} />
      <Tabs {...part} />
    </div>
  );
}
