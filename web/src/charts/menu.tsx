/** What can be done with a chart: save it, and read its values as a table. */
import { useId } from "preact/hooks";
import { fileName, savePng, saveText } from "../components/save.ts";
import { csvOf } from "./csv.ts";
import type { Drawn } from "./drawn.ts";
import { lookOf, useLooks, xScaleOf, xTitleOf } from "./look.ts";
import type { Curves } from "./model.ts";
import { resolveColour } from "./palette.ts";
import { svgOf } from "./svg.ts";

interface Props {
  metric: string;
  curves: Curves;
  drawn: Drawn;
  isTable: boolean;
  onTable: () => void;
}

export function ChartMenu({ metric, curves, drawn, isTable, onTable }: Props) {
  const looks = useLooks();
  const id = useId();
  const svg = () => {
    const { settings } = looks;
    const [from, to] = [drawn.x[0] ?? 0, drawn.x.at(-1) ?? 1];
    return svgOf(drawn, {
      ...lookOf(looks),
      title: metric,
      xTitle: xTitleOf(settings.x),
      xScale: xScaleOf(settings),
      logY: settings.logY,
      xRange: settings.zoom ?? (from < to ? [from, to] : [from - 0.5, from + 0.5]),
      colours: { text: resolveColour("--text"), line: resolveColour("--line"), surface: resolveColour("--surface") },
    });
  };
  const close = (act: () => void) => () => {
    document.getElementById(id)?.hidePopover();
    act();
  };
  return (
    <div class="chart-menu">
      <button type="button" class="button plain" popovertarget={id} aria-label={`Save or read ${metric}`}>
        ⋯
      </button>
      <div id={id} popover="auto" class="chart-menu-list">
        <button type="button" class="button plain" onClick={close(onTable)}>
          {isTable ? "Show the curves" : "Show as a table"}
        </button>
        <button type="button" class="button plain" onClick={close(() => savePng(fileName(metric, "png"), svg()))}>
          Save as PNG
        </button>
        <button
          type="button"
          class="button plain"
          onClick={close(() => saveText(fileName(metric, "svg"), svg(), "image/svg+xml"))}
        >
          Save as SVG
        </button>
        <button
          type="button"
          class="button plain"
          onClick={close(() =>
            saveText(
              fileName(metric, "csv"),
              csvOf(curves, xTitleOf(looks.settings.x), lookOf(looks).nameOf),
              "text/csv",
            ),
          )}
        >
          Save as CSV
        </button>
      </div>
    </div>
  );
}
