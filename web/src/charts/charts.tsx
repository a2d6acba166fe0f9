/** All metrics of some iterations as line charts, in sections by prefix. */
import { useMemo, useRef } from "preact/hooks";
import { Empty, Loading } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { location, setQuery } from "../state/route.ts";
import { ChartCard, LARGE, LargeChart } from "./chart-card.tsx";
import { Legend } from "./legend.tsx";
import { type Looks, LooksContext } from "./look.ts";
import type { Row } from "./model.ts";
import { type Run, useRows } from "./rows.ts";
import { inNaturalOrder, type MetricSection, searchKeys, sectionsOf } from "./sections.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { Slots } from "./slots.ts";
import { Toolbar } from "./toolbar.tsx";

interface Props {
  /** Those that can be shown. */
  runs: readonly Run[];
  shown: readonly string[];
  /** Change what is shown; undefined where that is chosen elsewhere. */
  onToggle?: (id: string) => void;
}

export function Charts({ runs, shown, onToggle }: Props) {
  const { query } = location.value;
  const settings = useMemo(() => settingsOf(query), [query]);
  const chosen = shown.flatMap((id) => runs.find((each) => each.id === id) ?? []);
  const { rows: read, loading, error } = useRows(chosen);
  const rows = useWholeRows(read, loading);
  const looks = useLooksOf(rows, chosen, settings);
  const keys = useKeys(rows);
  const text = query["chart-metrics"] ?? "";
  const search = useMemo(() => searchKeys(keys, text), [keys, text]);
  const large = query[LARGE];
  const parameters = useMemo(() => parametersOf(chosen), [runs, shown.join()]);
  return (
    <LooksContext.Provider value={looks}>
      <Toolbar settings={settings} search={{ text, error: search.error }} keys={keys} parameters={parameters} />
      <div class="charts">
        {runs.length > 1 ? (
          <Legend runs={runs} looks={looks} isShown={(id) => shown.includes(id)} onToggle={onToggle} />
        ) : null}
        <div class="chart-sections">
          {error ? <ErrorBox error={error} /> : null}
          {loading && !keys.length ? <Loading /> : null}
          {!loading && !keys.length && !error ? <NoMetrics isChosen={chosen.length > 0} /> : null}
          {keys.length && !search.keys.length && !search.error ? <p class="note">No metric fits {text}</p> : null}
          <Sections keys={search.keys} />
        </div>
      </div>
      {large !== undefined && keys.includes(large) ? <LargeChart key={large} metric={large} /> : null}
    </LooksContext.Provider>
  );
}

function NoMetrics({ isChosen }: { isChosen: boolean }) {
  return isChosen ? (
    <Empty title="No metrics yet">A curve appears here as soon as one of these iterations logs a metric.</Empty>
  ) : (
    <Empty title="No iteration is chosen">Choose iterations to see their curves.</Empty>
  );
}

function Sections({ keys }: { keys: readonly string[] }) {
  const sections = useMemo(() => sectionsOf(keys), [keys]);
  const folded = new Set((location.value.query["chart-folded"] ?? "").split(",").filter(Boolean));
  return sections.map((each) => <SectionOfCharts key={each.prefix} section={each} folded={folded} />);
}

function SectionOfCharts({ section, folded }: { section: MetricSection; folded: ReadonlySet<string> }) {
  const name = encodeURIComponent(section.prefix) || "-";
  const isOpen = !folded.has(name);
  const onToggle = (event: Event) => {
    const open = (event.currentTarget as HTMLDetailsElement).open;
    if (open === isOpen) return;
    const names = open ? [...folded].filter((each) => each !== name) : [...folded, name];
    setQuery({ "chart-folded": names.join(",") });
  };
  return (
    <details class="chart-section" open={isOpen} onToggle={onToggle}>
      <summary>
        <h3>
          {section.prefix || "Metrics"} <span class="count">{section.keys.length.toLocaleString("en-US")}</span>
        </h3>
      </summary>
      {isOpen ? (
        <div class="chart-grid">
          {section.keys.map((key) => (
            <ChartCard key={key} metric={key} />
          ))}
        </div>
      ) : null}
    </details>
  );
}

/** The rows once all their summaries are here, until then the earlier ones: each curve is then read once. */
function useWholeRows(rows: readonly Row[], loading: boolean): readonly Row[] {
  const whole = useRef<readonly Row[]>([]);
  if (!loading) whole.current = rows;
  return whole.current;
}

/** The keys of all rows, the same list as long as they are the same. */
function useKeys(rows: readonly Row[]): readonly string[] {
  const kept = useRef<readonly string[]>([]);
  const found = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))].sort(inNaturalOrder);
  const isSame = found.length === kept.current.length && found.every((key, at) => key === kept.current[at]);
  if (!isSame) kept.current = found;
  return kept.current;
}

/** Parameters that tell the iterations apart. */
function parametersOf(runs: readonly Run[]): string[] {
  const keys = [...new Set(runs.flatMap((run) => Object.keys(run.parameters)))].sort(inNaturalOrder);
  return keys.filter((key) => new Set(runs.map((run) => run.parameters[key])).size > 1);
}

function useLooksOf(rows: readonly Row[], runs: readonly Run[], settings: Settings): Looks {
  const slots = useRef(new Slots());
  const { group } = settings;
  const shape = JSON.stringify(runs.map((run) => [run.id, run.name, group && run.parameters[group]]));
  const lines = useMemo(() => {
    const groups = new Map(runs.map((run) => [run.id, `${group} = ${run.parameters[group] ?? "–"}`]));
    const groupOf = group ? (id: string) => groups.get(id) ?? "" : undefined;
    const ids = groupOf ? [...new Set(groups.values())].sort(inNaturalOrder) : runs.map((run) => run.id);
    return { slots: slots.current.assign(ids), names: namesOf(runs), groupOf };
  }, [shape, group]);
  return useMemo(() => ({ rows, settings, ...lines }), [rows, settings, lines]);
}

/** Names; where two are the same, with the begin of their ids. */
function namesOf(runs: readonly Run[]): ReadonlyMap<string, string> {
  const counts = Map.groupBy(runs, (run) => run.name);
  return new Map(
    runs.map((run) => [
      run.id,
      (counts.get(run.name)?.length ?? 0) > 1 ? `${run.name} (${run.id.slice(0, 6)})` : run.name,
    ]),
  );
}
