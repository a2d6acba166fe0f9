/** How all charts of a page are drawn. What is chosen is in the URL. */
import { Button } from "../components/basics.tsx";
import { Choice, type Option } from "../components/choice.tsx";
import { Field } from "../components/field.tsx";
import { setQuery } from "../state/route.ts";
import { xScaleOf, xTitleOf } from "./look.ts";
import { AMOUNTS, logQuery, queryOf, type Settings } from "./settings.ts";
import { METHODS, type Method } from "./smooth.ts";
import { formatX } from "./ticks.ts";

interface Props {
  settings: Settings;
  search: { text: string; error?: string | undefined };
  keys: readonly string[];
  parameters: readonly string[];
}

const NAMES: Record<Method, string> = { none: "None", ema: "Exponential", mean: "Mean", gaussian: "Gaussian" };
const change = (changes: Partial<Settings>) => setQuery(queryOf(changes));

export function Toolbar({ settings, search, keys, parameters }: Props) {
  return (
    <search class="chart-tools" aria-label="Charts">
      <Field
        label="Metrics (regular expression)"
        type="search"
        value={search.text}
        error={search.error}
        placeholder="^train/|accuracy"
        spellcheck={false}
        onInput={(event) => setQuery({ "chart-metrics": event.currentTarget.value })}
      />
      <Choice
        label="Horizontal axis"
        value={settings.x}
        options={[
          ["step", "Step"],
          ["relative", "Time since the start"],
          ["time", "Wall clock"],
        ]}
        more={{ label: "Another metric", options: keys.map((key) => [`metric:${key}`, key]) }}
        onChoose={(x) => setQuery({ ...queryOf({ x, zoom: undefined }) })}
      />
      <SmoothingTool settings={settings} />
      {parameters.length ? (
        <Choice
          label="Group by"
          value={settings.group}
          options={[["", "No groups"], ...parameters.map((key): Option => [key, key])]}
          onChoose={(group) => change({ group })}
        />
      ) : null}
      <AxisTools settings={settings} />
    </search>
  );
}

/** How one chart looks, without what it shows. */
export function LookTools({ settings }: { settings: Settings }) {
  return (
    <>
      <SmoothingTool settings={settings} />
      <AxisTools settings={settings} />
    </>
  );
}

function AxisTools({ settings }: { settings: Settings }) {
  const { logX, logY } = settings;
  return (
    <>
      <fieldset class="chart-checks">
        <legend class="visually-hidden">Axes</legend>
        <Check label="Log x" checked={logX} onChange={() => setQuery(logQuery(!logX, logY))} />
        <Check label="Log y" checked={logY} onChange={() => setQuery(logQuery(logX, !logY))} />
        <Check
          label={settings.group ? "Deviation" : "Min to max"}
          checked={settings.band}
          onChange={() => change({ band: !settings.band })}
        />
        <Check
          label="Ignore outliers"
          checked={!settings.outliers}
          onChange={() => change({ outliers: !settings.outliers })}
        />
      </fieldset>
      {settings.zoom ? (
        <Button onClick={() => change({ zoom: undefined })}>
          {`${xTitleOf(settings.x)} ${settings.zoom.map((each) => formatX(each, xScaleOf(settings))).join(" – ")} ✕`}
          <span class="visually-hidden">: show all</span>
        </Button>
      ) : null}
    </>
  );
}

function SmoothingTool({ settings }: { settings: Settings }) {
  const { method, amount } = settings.smoothing;
  const { min, max, step } = AMOUNTS[method];
  return (
    <div class="chart-smoothing">
      <Choice
        label="Smoothing"
        value={method}
        options={METHODS.map((each): Option => [each, NAMES[each]])}
        onChoose={(each) => change({ smoothing: { method: each as Method, amount: AMOUNTS[each as Method].initial } })}
      />
      {method === "none" ? null : (
        <label class="chart-amount">
          <span class="visually-hidden">Amount of smoothing</span>
          <input
            type="range"
            {...{ min, max, step }}
            value={amount}
            onInput={(event) => change({ smoothing: { method, amount: event.currentTarget.valueAsNumber } })}
          />
          <output>{amount}</output>
        </label>
      )}
    </div>
  );
}

function Check({ label, checked, onChange }: { label: string; checked: boolean; onChange: () => void }) {
  return (
    <label>
      <input type="checkbox" checked={checked} onChange={onChange} /> {label}
    </label>
  );
}
