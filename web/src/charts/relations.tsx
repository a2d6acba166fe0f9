/** How parameters and metrics of all iterations of an experiment go together. */
import { useMemo } from "preact/hooks";
import { Empty, Loading } from "../components/basics.tsx";
import { Choice, type Option } from "../components/choice.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { countOf } from "../components/format.ts";
import { location, setQuery } from "../state/route.ts";
import { Importances } from "./importances.tsx";
import { narrowed, type Sweep } from "./narrowed.ts";
import { ofTable } from "./of-table.ts";
import { Parallel } from "./parallel.tsx";
import { Scatter } from "./scatter.tsx";
import { MOST, useNames, useSweep, varying } from "./sweep.ts";

export type Kind = "scatter" | "parallel" | "importance";

interface Props {
  experimentId: string;
  kind: Kind;
}

interface Names {
  parameters: string[];
  metrics: string[];
}

export function Relations({ experimentId, kind }: Props) {
  const names = useNames(experimentId);
  if (!names) return <Loading />;
  if (names.error) return <ErrorBox error={names.error} />;
  if (!names.metrics.length) {
    return (
      <Empty title="No metrics yet">Iterations are compared here as soon as they log parameters and metrics.</Empty>
    );
  }
  return <Chosen experimentId={experimentId} kind={kind} names={names} />;
}

function Chosen({ experimentId, kind, names }: Props & { names: Names }) {
  const { query } = location.value;
  const all = [...names.parameters, ...names.metrics];
  const known = (name: string | undefined, other: string) => (name && all.includes(name) ? name : other);
  const target = known(query["chart-target"], likelyTarget(names.metrics));
  const across = known(query["chart-across"], names.parameters[0] ?? target);
  const colour = query["chart-colour"] ?? "";
  const metrics = [target, across, colour].filter((each) => each.startsWith("metrics."));
  const table = ofTable(query);
  const isNarrow = kind !== "importance" && table.selected.length > 0 && query["chart-of"] !== "all";
  const selected = isNarrow ? table.selected : [];
  const { data: read, error } = useSweep(experimentId, table, [...new Set(metrics)].sort(), selected);
  const data = useMemo(() => read && narrowed(read, selected), [read, selected.join()]);
  const axes = {
    options: optionsOf(names.metrics),
    more: { label: "Parameters", options: optionsOf(names.parameters) },
  };
  return (
    <>
      <div class="chart-tools">
        <Choice
          label={kind === "scatter" ? "Vertical axis" : "Metric"}
          value={target}
          {...(kind === "scatter" ? axes : { options: axes.options })}
          onChoose={(name) => setQuery({ "chart-target": name })}
        />
        {kind === "scatter" ? (
          <>
            <Choice
              label="Horizontal axis"
              value={across}
              {...axes}
              onChoose={(name) => setQuery({ "chart-across": name })}
            />
            <Choice
              label="Colour"
              value={colour}
              {...axes}
              options={[["", "One colour"], ...axes.options]}
              onChoose={(name) => setQuery({ "chart-colour": name })}
            />
          </>
        ) : null}
      </div>
      {kind !== "importance" ? <Narrowing selected={table.selected.length} isNarrow={isNarrow} data={data} /> : null}
      {error && !data ? <ErrorBox error={error} /> : null}
      {!data && !error ? <Loading /> : null}
      {data ? <Relation kind={kind} sweep={data} target={target} across={across} colour={colour} /> : null}
      {read && read.ids.length >= MOST ? (
        <p class="note">The first {MOST.toLocaleString("en-US")} iterations in the order of the table.</p>
      ) : null}
    </>
  );
}

/** Which iterations these are while rows of the table are selected. */
function Narrowing({ selected, isNarrow, data }: { selected: number; isNarrow: boolean; data: Sweep | undefined }) {
  if (!selected) return null;
  const found = data?.ids.length ?? selected;
  const many = countOf(selected, "selected iteration");
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={isNarrow}
        onChange={() => setQuery({ "chart-of": isNarrow ? "all" : undefined })}
      />
      Only the {isNarrow && found < selected ? `${found} first of the ${many}` : many}
    </label>
  );
}

function Relation(props: { kind: Kind; sweep: Sweep; target: string; across: string; colour: string }) {
  const { kind, sweep } = props;
  const target = sweep.dimensions.get(props.target);
  const across = sweep.dimensions.get(props.across);
  if (!target || !across) return <Empty title="No iteration has these values" />;
  if (kind === "scatter")
    return <Scatter sweep={sweep} x={across} y={target} colour={sweep.dimensions.get(props.colour)} />;
  if (kind === "importance") return <Importances sweep={sweep} target={target} />;
  return <Parallel sweep={sweep} dimensions={[...varying(sweep), target]} colour={target} />;
}

/** A loss or an accuracy of validation is what people compare most. */
function likelyTarget(metrics: readonly string[]): string {
  const likely = [/val.*(acc|loss)/i, /acc|f1|auc|score/i, /loss|error/i];
  for (const pattern of likely) {
    const found = metrics.find((each) => pattern.test(each));
    if (found) return found;
  }
  return metrics[0] ?? "";
}

/** The group says which are parameters: a word behind each name would be cut. */
function optionsOf(names: readonly string[]): Option[] {
  return names.map((name) => [name, name.slice(name.indexOf(".") + 1)]);
}
