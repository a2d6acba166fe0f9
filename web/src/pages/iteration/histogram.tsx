/** A histogram, drawn as bars over its range. */
import { formatNumber } from "../../components/format.ts";
import { OverSteps } from "./heat.tsx";
import { barsOf, type HistogramData } from "./histogram.ts";
import type { Step } from "./steps.ts";

interface Props {
  histogram: HistogramData;
  name: string;
  /** The histograms of the same key. */
  series?: readonly Step<{ id: string; name: string }>[] | undefined;
}

export function Histogram({ histogram, name, series }: Props) {
  const total = histogram.counts.reduce((sum, each) => sum + each, 0);
  const { edges, counts, notFinite } = histogram;
  return (
    <figure class="histogram">
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" role="img" aria-label={`Histogram ${name}`}>
        {barsOf(histogram).map((bar) => (
          <rect key={bar.from} x={bar.x} y={bar.y} width={bar.width} height={bar.height}>
            <title>
              {formatNumber(bar.from)} to {formatNumber(bar.to)}: {bar.count.toLocaleString()}
            </title>
          </rect>
        ))}
      </svg>
      <div class="histogram-ends">
        <span>{formatNumber(edges[0] ?? 0)}</span>
        <span>{formatNumber(edges.at(-1) ?? 0)}</span>
      </div>
      <figcaption class="note">
        {total.toLocaleString()} values in {counts.length.toLocaleString()} bins
        {notFinite ? `; ${notFinite.toLocaleString()} more are not finite` : ""}
      </figcaption>
      {series && series.length > 1 ? <OverSteps series={series} /> : null}
    </figure>
  );
}
