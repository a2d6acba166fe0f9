/** One metric: its chart while it is on the screen, what is shown of it, and what can be done with it. */
import { useId, useMemo, useRef, useState } from "preact/hooks";
import { ErrorBox } from "../components/error-box.tsx";
import { type Drawn, draw } from "./drawn.ts";
import { groupCurves } from "./group.ts";
import { LineChart } from "./line-chart.tsx";
import { type Looks, useLooks } from "./look.ts";
import { ChartMenu } from "./menu.tsx";
import type { Curves } from "./model.ts";
import { useOnScreen } from "./on-screen.ts";
import { useCurves } from "./use-curves.ts";

export function ChartCard({ metric }: { metric: string }) {
  const card = useRef<HTMLElement>(null);
  const isNear = useOnScreen(card);
  const title = useId();
  return (
    <figure class="chart" ref={card} aria-labelledby={title} data-metric={metric}>
      {isNear ? (
        <Chart metric={metric} title={title} />
      ) : (
        <figcaption class="chart-head">
          <h4 id={title}>{metric}</h4>
        </figcaption>
      )}
    </figure>
  );
}

function Chart({ metric, title }: { metric: string; title: string }) {
  const looks = useLooks();
  const { settings, rows, groupOf } = looks;
  const { data, error } = useCurves(metric, rows, { x: settings.x, zoom: settings.zoom });
  const [isTable, setTable] = useState(false);
  const curves = useMemo(() => data && (groupOf ? groupCurves(data, groupOf) : data), [data, groupOf]);
  const drawn = useMemo(() => curves && draw(curves, settings, groupOf !== undefined), [curves, settings, groupOf]);
  return (
    <>
      <figcaption class="chart-head">
        <h4 id={title} title={metric}>
          {metric}
        </h4>
        {curves && drawn ? (
          <ChartMenu
            metric={metric}
            curves={curves}
            drawn={drawn}
            isTable={isTable}
            onTable={() => setTable(!isTable)}
          />
        ) : null}
      </figcaption>
      {error && !curves ? <ErrorBox error={error} /> : null}
      {curves && drawn ? (
        <LineChart metric={metric} drawn={drawn} isTable={isTable} />
      ) : error ? null : (
        <div class="chart-plot is-waiting" />
      )}
      <p class="chart-foot">{curves && drawn ? shownOf(metric, curves, drawn, looks) : "\u00a0"}</p>
    </>
  );
}

/** How much of the curves is shown. */
function shownOf(metric: string, curves: Curves, drawn: Drawn, { rows, groupOf }: Looks): string {
  const total = rows.reduce((sum, row) => sum + (row.metrics[metric]?.count ?? 0), 0);
  const marks = curves.lines.reduce((sum, line) => sum + line.marks.length, 0);
  return [
    groupOf ? "mean ± standard deviation" : "",
    partOf(curves, total),
    marks ? `${marks} not finite (× NaN, ▲ ∞, ▼ −∞)` : "",
    drawn.hidden ? `${drawn.hidden} not on a logarithmic axis` : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

function partOf({ shown, bucketed, x }: Curves, total: number): string {
  const part = shown < total ? `${countOf(shown)} of ` : "";
  const points = `${part}${countOf(total)} ${total === 1 ? "point" : "points"}`;
  return bucketed ? `${countOf(x.length)} buckets of ${points}` : points;
}

function countOf(count: number): string {
  return count.toLocaleString("en-US");
}
