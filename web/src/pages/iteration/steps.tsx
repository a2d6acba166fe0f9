/** A slider over the steps of a series of images. */
import { setQuery } from "../../state/route.ts";
import type { Schemas } from "./part.ts";
import type { Step } from "./steps.ts";

type Resource = Schemas["Resource"];

export function Steps({ series, chosen }: { series: Step<Resource>[]; chosen: Resource }) {
  const at = series.findIndex((each) => each.file.id === chosen.id);
  const step = series[at]?.step ?? 0;
  return (
    <label class="steps">
      <span>
        Step <strong>{step.toLocaleString()}</strong>
      </span>
      <input
        type="range"
        min={0}
        max={series.length - 1}
        value={at}
        aria-valuetext={`step ${step}`}
        onInput={(event) => setQuery({ file: series[Number(event.currentTarget.value)]?.file.id })}
      />
      <span class="note">
        {at + 1} of {series.length}
      </span>
    </label>
  );
}
