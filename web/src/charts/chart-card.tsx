/** One metric: its chart while it is on the screen, what is shown of it, and what can be done with it. */
import { useId, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../components/basics.tsx";
import { Dialog } from "../components/dialog.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { setQuery } from "../state/route.ts";
import { type Drawn, draw } from "./drawn.ts";
import { groupCurves } from "./group.ts";
import { light, lit } from "./hover.ts";
import { LineChart } from "./line-chart.tsx";
import { type Looks, lookOf, useLooks } from "./look.ts";
import { ChartMenu } from "./menu.tsx";
import type { Curves } from "./model.ts";
import { useOnScreen } from "./on-screen.ts";
import { Swatch } from "./swatch.tsx";
import { LookTools } from "./toolbar.tsx";
import { useCurves } from "./use-curves.ts";

export function ChartCard({ metric }: { metric: string }) {
  const card = useRef<HTMLElement>(null);
  const isNear = useOnScreen(card);
  const title = useId();
  return (
    <figure class="chart" ref={card} aria-labelledby={title} data-metric={metric}>
      {isNear ? (
        <Chart metric={metric} title={title} onLarge={() => setQuery({ [LARGE]: metric }, true)} />
      ) : (
        <figcaption class="chart-head">
          <h4 id={title}>{metric}</h4>
        </figcaption>
      )}
    </figure>
  );
}

/** The name in the URL of the metric that is shown large. */
export const LARGE = "chart-large";

/** Over the page, as large as the screen allows. Escape closes it. */
export function LargeChart({ metric }: { metric: string }) {
  const looks = useLooks();
  const title = useId();
  const close = () => setQuery({ [LARGE]: undefined });
  return (
    <Dialog title={metric} class="chart-large" open onClose={close}>
      <div class="chart-tools">
        <LookTools settings={looks.settings} />
      </div>
      <figure class="chart" aria-labelledby={title}>
        <Chart metric={metric} title={title} />
      </figure>
      <Names looks={looks} />
      <Button class="chart-close" onClick={close}>
        Close
      </Button>
    </Dialog>
  );
}

/** What the colours mean: the list beside the charts is behind the dialog. */
function Names({ looks }: { looks: Looks }) {
  const { cssColourOf, dashOf, nameOf } = lookOf(looks);
  const ids = [...looks.slots.keys()];
  if (ids.length < 2) return null;
  return (
    <ul class="chart-names" onPointerLeave={() => light(undefined)}>
      {ids.map((id) => (
        <li key={id} class={lit.value === id ? "is-lit" : ""} onPointerEnter={() => light(id)}>
          <Swatch colour={cssColourOf(id)} dash={dashOf(id)} />
          {nameOf(id)}
        </li>
      ))}
    </ul>
  );
}

interface ChartProps {
  metric: string;
  title: string;
  onLarge?: () => void;
}

function Chart({ metric, title, onLarge }: ChartProps) {
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
          <div class="chart-actions">
            {onLarge ? (
              <Button kind="plain" aria-label={`Show ${metric} large`} title="Show large (Enter)" onClick={onLarge}>
                ⤢
              </Button>
            ) : null}
            <ChartMenu
              metric={metric}
              curves={curves}
              drawn={drawn}
              isTable={isTable}
              onTable={() => setTable(!isTable)}
            />
          </div>
        ) : null}
      </figcaption>
      {error && !curves ? <ErrorBox error={error} /> : null}
      {curves && drawn ? (
        <LineChart
          metric={metric}
          chart={onLarge ? metric : `${metric} large`}
          drawn={drawn}
          isTable={isTable}
          onLarge={onLarge}
        />
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
  return bucketed ? `${points} in ${countOf(x.length)} buckets` : points;
}

function countOf(count: number): string {
  return count.toLocaleString("en-US");
}
