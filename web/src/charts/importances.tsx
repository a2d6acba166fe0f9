/** Which parameters matter for a metric. */
import { useEffect, useState } from "preact/hooks";
import { Empty, Loading } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { formatNumber } from "../components/format.ts";
import { askWorker } from "./ask-worker.ts";
import type { Dimension } from "./dimension.ts";
import { type Feature, type Importance, LEAST_ITERATIONS, type Result, TREES } from "./importance.ts";
import type { Sweep } from "./narrowed.ts";
import { varying } from "./sweep.ts";

export function Importances({ sweep, target }: { sweep: Sweep; target: Dimension }) {
  const [result, setResult] = useState<Result | undefined>();
  const [error, setError] = useState<unknown>();
  const [features, values] = inputOf(sweep, target);
  const isEnough = values.length >= LEAST_ITERATIONS && features.length > 0;
  useEffect(() => {
    if (!isEnough) return;
    const stop = new AbortController();
    setError(undefined);
    askWorker(features, values, stop.signal).then(setResult, (reason) => stop.signal.aborted || setError(reason));
    return () => stop.abort();
  }, [sweep, target.name, isEnough]);
  if (!isEnough) return <TooFew count={values.length} />;
  if (error) return <ErrorBox error={error} />;
  if (!result) return <Loading what="Computing" />;
  return (
    <figure class="relation">
      <figcaption>{`Importance for the last ${target.label} of ${result.count} iterations`}</figcaption>
      <Bars importances={result.importances} />
      <p class="note">{methodOf(result, target.label)}</p>
    </figure>
  );
}

function TooFew({ count }: { count: number }) {
  return (
    <Empty title="Too little to compare">
      {`The importance of parameters needs ${LEAST_ITERATIONS} iterations with this metric and a parameter that differs; there are ${count}.`}
    </Empty>
  );
}

function methodOf({ explained }: Result, label: string): string {
  const share = Math.round(100 * explained);
  const trust =
    share <= 10
      ? `The forest explains hardly any of the variance of ${label}: do not trust these numbers.`
      : `The forest explains ${share} % of the variance of ${label} for iterations that it has not seen.`;
  return `Permutation importance of a random forest of ${TREES} trees: how much worse it predicts ${label} when the values of a parameter are shuffled, as a share of the variance. Correlation is Spearman's, by ranks. ${trust}`;
}

function Bars({ importances }: { importances: readonly Importance[] }) {
  const most = Math.max(1e-9, ...importances.map((each) => each.importance));
  return (
    <div class="scroll">
      <table class="table importances">
        <thead>
          <tr>
            <th scope="col">Parameter</th>
            <th scope="col" class="number">
              Importance
            </th>
            <th scope="col" aria-label="As a bar" />
            <th scope="col" class="number">
              Correlation
            </th>
          </tr>
        </thead>
        <tbody>
          {importances.map(({ name, importance, correlation }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{importance.toFixed(3)}</td>
              <td class="bar-cell">
                <span class="bar" style={{ width: `${(100 * importance) / most}%` }} />
              </td>
              <td class="number">{correlation === undefined ? "–" : formatNumber(Number(correlation.toFixed(2)))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The iterations that have the metric. */
function inputOf(sweep: Sweep, target: Dimension): [Feature[], number[]] {
  const rows = [...sweep.ids.keys()].filter((at) => typeof target.values[at] === "number");
  const features = varying(sweep)
    .map((each) => ({ name: each.label, values: rows.map((at) => each.values[at]) }))
    .filter((each) => new Set(each.values).size > 1);
  return [features, rows.map((at) => target.values[at] as number)];
}
