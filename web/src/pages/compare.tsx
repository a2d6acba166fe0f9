/** Iterations side by side: what differs first, their curves together, and one difference of two of them. */
import { useMemo } from "preact/hooks";
import { CompareCharts } from "../charts/index.tsx";
import { CompareDiff } from "../compare/diff.tsx";
import { groupsOf } from "../compare/differences.ts";
import { type Compared, type Outcome, useCompared } from "../compare/read.ts";
import { CompareTable } from "../compare/table.tsx";
import { Button, Empty, Loading, Section } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { ShareButton } from "../components/share.tsx";
import { useHeading } from "../state/heading.ts";
import { rightsOn } from "../state/rights.ts";
import { location, setQuery } from "../state/route.ts";
import { useExperiment } from "./parents.ts";

const MOST = 20;

export default function ComparePage() {
  const asked = [...new Set((location.value.query.iterations ?? "").split(",").filter(Boolean))];
  if (asked.length < 2) return <Few />;
  return <Comparison ids={asked.slice(0, MOST)} left={asked.length - MOST} />;
}

function Few() {
  useHeading("Compare");
  return (
    <>
      <h1>Compare</h1>
      <Empty title="Choose two iterations or more">
        <p>In the table of an experiment, select 2 to {MOST} iterations and compare them.</p>
      </Empty>
    </>
  );
}

function remove(ids: readonly string[], id: string): void {
  setQuery({ iterations: ids.filter((each) => each !== id).join() }, true);
}

function Comparison({ ids, left }: { ids: readonly string[]; left: number }) {
  const { data } = useCompared(ids);
  const found = useMemo(() => (data ?? []).flatMap((each) => ("found" in each ? each.found : [])), [data]);
  const experimentId = experimentOf(found);
  return (
    <>
      {experimentId ? <Crumb experimentId={experimentId} /> : <NoCrumb />}
      <div class="object-title">
        <h1>Compare {ids.length} iterations</h1>
        {found[0] && found.length === ids.length ? <ShareCompared first={found[0]} ids={ids} /> : null}
      </div>
      {left > 0 ? (
        <p class="note">
          These are the first {MOST} of {MOST + left}.
        </p>
      ) : null}
      {data?.map((each) => ("error" in each ? <Missing key={each.id} outcome={each} ids={ids} /> : null))}
      {data ? found.length > 1 && <Parts all={found} ids={ids} /> : <Loading />}
    </>
  );
}

function Missing({ outcome, ids }: { outcome: Outcome & { error: unknown }; ids: readonly string[] }) {
  return (
    <>
      <ErrorBox error={outcome.error} />
      <Button onClick={() => remove(ids, outcome.id)}>Compare without {outcome.id}</Button>
    </>
  );
}

/** The experiment above, if it is the same for all. */
function experimentOf(all: readonly Compared[]): string | undefined {
  const ids = new Set(all.map((each) => each.iteration.experiment_id));
  return ids.size === 1 ? [...ids][0] : undefined;
}

/** Their project is that of the first one; the server refuses others. */
function ShareCompared({ first, ids }: { first: Compared; ids: readonly string[] }) {
  const projectId = useExperiment(first.iteration.experiment_id).experiment?.project_id;
  if (!projectId || !rightsOn(projectId).update) return null;
  return (
    <div class="actions">
      <ShareButton projectId={projectId} shared={{ iterationIds: ids }} />
    </div>
  );
}

function NoCrumb() {
  useHeading("Compare");
  return null;
}

function Crumb({ experimentId }: { experimentId: string }) {
  const { crumbs } = useExperiment(experimentId);
  useHeading("Compare", crumbs);
  return null;
}

function Parts({ all, ids }: { all: readonly Compared[]; ids: readonly string[] }) {
  const groups = useMemo(() => groupsOf(all), [all]);
  const shown = all.map((each) => each.iteration.id);
  const nothing = groups.every((each) => each.different.length === 0);
  return (
    <>
      <Section title="What differs">
        {nothing ? <p class="note">Nothing but their names and times.</p> : null}
        <CompareTable all={all} groups={groups} onRemove={(id) => remove(ids, id)} />
      </Section>
      <Section title="Curves">
        <CompareCharts ids={shown} />
      </Section>
      <Pair all={all} />
    </>
  );
}

function Pair({ all }: { all: readonly Compared[] }) {
  const { query } = location.value;
  const from = all.find((each) => each.iteration.id === query.from) ?? all[0];
  const to = all.find((each) => each.iteration.id === query.to) ?? all.find((each) => each !== from);
  if (!from || !to) return null;
  return (
    <Section title="Line by line">
      <div class="diff-choice">
        <Choice label="From" name="from" all={all} value={from} />
        <Choice label="To" name="to" all={all} value={to} />
        <Button onClick={() => setQuery({ from: to.iteration.id, to: from.iteration.id })}>Swap</Button>
      </div>
      <CompareDiff key={`${from.iteration.id} ${to.iteration.id}`} from={from} to={to} />
    </Section>
  );
}

interface ChoiceProps {
  label: string;
  name: string;
  all: readonly Compared[];
  value: Compared;
}

function Choice({ label, name, all, value }: ChoiceProps) {
  return (
    <label>
      {label}
      <select value={value.iteration.id} onChange={(event) => setQuery({ [name]: event.currentTarget.value })}>
        {all.map(({ iteration }) => (
          <option key={iteration.id} value={iteration.id}>
            {iteration.name}
          </option>
        ))}
      </select>
    </label>
  );
}
