/** How a histogram changes over the steps. Each step is a file of its own, so they are read on request. */
import { useEffect, useState } from "preact/hooks";
import { Button, Loading } from "../../components/basics.tsx";
import { ErrorBox } from "../../components/error-box.tsx";
import { formatNumber } from "../../components/format.ts";
import { bytesOf } from "./bytes.ts";
import { evenly, type Heat, heatOf } from "./heat.ts";
import { histogramOf } from "./histogram.ts";
import type { Step } from "./steps.ts";

const MOST = 40;
type File = { id: string; name: string };

export function OverSteps({ series }: { series: readonly Step<File>[] }) {
  const [isOpen, setOpen] = useState(false);
  if (isOpen) return <Over series={series} />;
  return (
    <p>
      <Button onClick={() => setOpen(true)}>Over all steps</Button>
    </p>
  );
}

function Over({ series }: { series: readonly Step<File>[] }) {
  const [heat, setHeat] = useState<Heat>();
  const [error, setError] = useState<unknown>();
  const chosen = evenly(series, MOST);
  const key = chosen.map((each) => each.file.id).join();
  useEffect(() => {
    const left = new AbortController();
    const found = Promise.all(chosen.map((each) => read(each, left.signal)));
    found.then(
      (all) => left.signal.aborted || setHeat(heatOf(all.flat())),
      (reason) => left.signal.aborted || setError(reason),
    );
    return () => left.abort();
  }, [key]);
  if (error) return <ErrorBox error={error} />;
  if (!heat) return <Loading />;
  const [first, last] = [heat.columns[0]?.step ?? 0, heat.columns.at(-1)?.step ?? 0];
  return (
    <div class="heat">
      <span class="note">{formatNumber(heat.high)}</span>
      <Picture heat={heat} label={`Histograms from step ${first} to ${last}`} />
      <span class="note">{formatNumber(heat.low)}</span>
      <div class="histogram-ends">
        <span>step {first.toLocaleString()}</span>
        <span>{last.toLocaleString()}</span>
      </div>
      {chosen.length < series.length ? (
        <p class="note">
          {chosen.length} of {series.length.toLocaleString()} steps
        </p>
      ) : null}
    </div>
  );
}

async function read({ step, file }: Step<File>, signal: AbortSignal) {
  const data = histogramOf(await (await bytesOf(file.id, signal)).text());
  return data ? [{ step, data }] : [];
}

function Picture({ heat: { columns, low, high }, label }: { heat: Heat; label: string }) {
  const bins = columns[0]?.shares.length ?? 1;
  return (
    <svg viewBox={`0 0 ${columns.length} ${bins}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {columns.map(({ step, shares }, x) =>
        shares.map((share, bin) =>
          share ? (
            <rect
              key={`${step} ${bin}`}
              x={x}
              y={bins - 1 - bin}
              width={1}
              height={1}
              fill-opacity={0.08 + 0.92 * Math.sqrt(share)}
            >
              <title>{`step ${step}, about ${formatNumber(low + ((bin + 0.5) * (high - low)) / bins)}`}</title>
            </rect>
          ) : null,
        ),
      )}
    </svg>
  );
}
