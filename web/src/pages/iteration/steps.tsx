/** A slider over steps, and one over the steps of a series of images. */
import { setQuery } from "../../state/route.ts";
import type { Schemas } from "./part.ts";
import type { Step } from "./steps.ts";

type Resource = Schemas["Resource"];

/** `at`: the number of the chosen step, from 0. */
export function StepSlider({
  steps,
  at,
  choose,
}: {
  steps: readonly number[];
  at: number;
  choose: (at: number) => void;
}) {
  const step = steps[at] ?? 0;
  return (
    <label class="steps">
      <span>
        Step <strong>{step.toLocaleString()}</strong>
      </span>
      <input
        type="range"
        min={0}
        max={steps.length - 1}
        value={at}
        aria-valuetext={`step ${step}`}
        onInput={(event) => choose(Number(event.currentTarget.value))}
      />
      <span class="note">
        {at + 1} of {steps.length.toLocaleString()}
      </span>
    </label>
  );
}

export function Steps({ series, chosen }: { series: Step<Resource>[]; chosen: Resource }) {
  return (
    <StepSlider
      steps={series.map((each) => each.step)}
      at={series.findIndex((each) => each.file.id === chosen.id)}
      choose={(at) => setQuery({ file: series[at]?.file.id })}
    />
  );
}
