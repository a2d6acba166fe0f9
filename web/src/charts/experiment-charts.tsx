/** The charts of an experiment: of the selected iterations, or of some chosen here. */
import { useEffect, useMemo } from "preact/hooks";
import { Button, Empty, Loading } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { location, setQuery } from "../state/route.ts";
import { Charts } from "./charts.tsx";
import { light } from "./hover.ts";
import { type OfTable, ofTable } from "./of-table.ts";
import { type Kind, Relations } from "./relations.tsx";
import { type Run, useRuns, useRunsById, useSummaries } from "./rows.ts";

const SHOWN_AT_FIRST = 10;

export interface ExperimentChartsProps {
  experimentId: string;
  /** The ids of iterations that are selected elsewhere on the page. Without any the charts have a choice of their own. */
  selected?: readonly string[];
}

const VIEWS: Record<string, string> = {
  curves: "Curves",
  scatter: "Scatter",
  parallel: "Parallel coordinates",
  importance: "Importance",
};

export default function ExperimentCharts(props: ExperimentChartsProps) {
  const given = location.value.query["chart-view"] ?? "";
  const view = given in VIEWS ? given : "curves";
  const { filter } = location.value.query;
  useEffect(() => () => light(undefined), [view]);
  return (
    <>
      <nav class="tabs" aria-label="Kinds of charts">
        {Object.entries(VIEWS).map(([name, label]) => (
          <Button
            key={name}
            kind="plain"
            aria-current={name === view ? "page" : undefined}
            onClick={() => setQuery({ "chart-view": name === "curves" ? undefined : name }, true)}
          >
            {label}
          </Button>
        ))}
      </nav>
      {filter ? <FilterNote filter={filter} /> : null}
      {view === "curves" ? (
        <CurvesOfExperiment {...props} />
      ) : (
        <Relations experimentId={props.experimentId} kind={view as Kind} />
      )}
    </>
  );
}

function CurvesOfExperiment({ experimentId, selected }: ExperimentChartsProps) {
  const { query } = location.value;
  const table = ofTable(query);
  const read = useRuns(experimentId, table);
  const known = read.data;
  // Those that the URL names need no list first. Of those of other experiments nothing is found, and they are read later.
  const ahead = known ? [] : (idsOf(query["chart-shown"]) ?? []);
  useSummaries(ahead, () => experimentId);
  const wanted = selected?.length ? selected : (idsOf(query["chart-shown"]) ?? firstOf(table, known));
  const others = useRunsById(known ? wanted.filter((id) => !known.some((run) => run.id === id)) : []);
  const runs = useMemo(
    () => [...(known ?? []), ...(others.data ?? [])],
    [known, others.data?.map((run) => run.id).join()],
  );
  if (!known) return read.error ? <ErrorBox error={read.error} /> : <Loading />;
  if (!known.length && !wanted.length) return <NoRuns filter={table.filter} />;
  if (selected?.length) return <Charts runs={runs.filter((run) => selected.includes(run.id))} shown={selected} />;
  const toggle = (id: string) => {
    const ids = wanted.includes(id) ? wanted.filter((each) => each !== id) : [...wanted, id];
    setQuery({ "chart-shown": ids.join(",") || "none" });
  };
  return <Charts runs={runs} shown={wanted} onToggle={toggle} />;
}

/** The selected rows of the table; without any, its first lines: those at its top, then the others in its order. */
function firstOf({ selected, top }: OfTable, runs: readonly Run[] | undefined): readonly string[] {
  if (selected.length) return selected;
  return [...new Set([...top, ...(runs ?? []).map((run) => run.id)])].slice(0, Math.max(SHOWN_AT_FIRST, top.length));
}

function NoRuns({ filter }: { filter: string | undefined }) {
  if (filter) return <Empty title="No iteration fits this filter" />;
  return <Empty title="No iterations yet">An iteration appears here as soon as a program starts one.</Empty>;
}

function FilterNote({ filter }: { filter: string }) {
  return (
    <p class="note">
      Iterations with <code>{filter}</code>{" "}
      <Button kind="plain" onClick={() => setQuery({ filter: undefined })}>
        Show all
      </Button>
    </p>
  );
}

function idsOf(text: string | undefined): string[] | undefined {
  if (!text) return undefined;
  return text === "none" ? [] : text.split(",");
}
