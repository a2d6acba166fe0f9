/** An experiment: the table of its iterations. */
import type { components } from "../api/operations.ts";
import { Empty, Link, Loading, Section } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { formatNumber } from "../components/format.ts";
import { ExperimentStatus, IterationStatus } from "../components/status.tsx";
import { Duration, Time } from "../components/time.tsx";
import { useHeading } from "../state/heading.ts";
import { useGet, useList } from "../state/use.ts";
import type { PageProps } from "./registry.ts";

type Row = components["schemas"]["IterationOverview"];
const SECONDS = 15;
const COLUMNS = 12;

export default function ExperimentPage({ ids }: PageProps) {
  const given = { ids: { experiment_id: ids.experimentId ?? "" } };
  const experiment = useGet("/experiments/{experiment_id}", given);
  const project = useProject(experiment.data?.project_id);
  useHeading(experiment.data?.name, [project]);
  if (experiment.error) return <ErrorBox error={experiment.error} />;
  if (!experiment.data) return <Loading />;
  return (
    <>
      <h1>
        {experiment.data.name} <ExperimentStatus id={experiment.data.status_id} />
      </h1>
      {experiment.data.description ? <p class="description">{experiment.data.description}</p> : null}
      <p>
        <Link to={`/experiments/${experiment.data.id}/charts`}>Charts</Link>
      </p>
      <Iterations experimentId={experiment.data.id} />
    </>
  );
}

function useProject(id: string | undefined) {
  const list = useList("/projects", {});
  const found = list.data?.find((each) => each.id === id);
  return found && { label: found.name, to: `/projects/${found.id}` };
}

function Iterations({ experimentId }: { experimentId: string }) {
  const query = { include: "parameters,metrics,tags", order_by: "created_date desc" };
  const list = useList(
    "/experiments/{experiment_id}/iterations",
    { ids: { experiment_id: experimentId }, query },
    { every: SECONDS },
  );
  if (!list.data) return list.error ? <ErrorBox error={list.error} /> : <Loading />;
  if (!list.data.length) {
    return <Empty title="No iterations yet">An iteration appears here as soon as a program starts one.</Empty>;
  }
  return (
    <Section title="Iterations" count={list.data.length}>
      <Table rows={list.data} />
    </Section>
  );
}

function Table({ rows }: { rows: Row[] }) {
  const parameters = keysOf(rows, (row) => row.parameters).slice(0, COLUMNS);
  const metrics = keysOf(rows, (row) => row.metrics).slice(0, COLUMNS);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
    <section class="scroll" tabIndex={0} aria-label="Iterations">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Status</th>
            <th scope="col" class="number">
              Started
            </th>
            <th scope="col" class="number">
              Duration
            </th>
            {parameters.map((key) => (
              <th scope="col" key={key}>
                {key}
              </th>
            ))}
            {metrics.map((key) => (
              <th scope="col" class="number" key={key}>
                {key}
              </th>
            ))}
            <th scope="col">Tags</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <th scope="row">
                <Link to={`/iterations/${row.id}`}>{row.name}</Link>
              </th>
              <td>
                <IterationStatus id={row.status_id} />
              </td>
              <td class="number">
                <Time at={row.created_date} />
              </td>
              <td class="number">
                <Duration from={row.created_date} to={row.end_date} />
              </td>
              {parameters.map((key) => (
                <td key={key} class="clip">
                  {row.parameters?.[key]}
                </td>
              ))}
              {metrics.map((key) => {
                const summary = row.metrics?.[key];
                return (
                  <td key={key} class="number">
                    {summary ? formatNumber(summary.last) : null}
                  </td>
                );
              })}
              <td>
                {row.tags?.map((each) => (
                  <span class="tag" key={each}>
                    {each}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The keys in use, those of most rows first. */
function keysOf(rows: Row[], of: (row: Row) => Record<string, unknown> | null): string[] {
  const counts = new Map<string, number>();
  for (const row of rows) for (const key of Object.keys(of(row) ?? {})) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts.entries()].sort(([a, x], [b, y]) => y - x || a.localeCompare(b)).map(([key]) => key);
}
