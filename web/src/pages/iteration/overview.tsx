/** Parameters and the summary of metrics, with one search for both. */
import { useState } from "preact/hooks";
import { Button, Empty, Loading, Section } from "../../components/basics.tsx";
import { CopyButton } from "../../components/copy.tsx";
import { ErrorBox } from "../../components/error-box.tsx";
import { formatNumber, type WireNumber } from "../../components/format.ts";
import { isOfMachine } from "../../components/metric-keys.ts";
import { hashOf } from "../../state/location.ts";
import { location, setQuery } from "../../state/route.ts";
import { useGet, useList } from "../../state/use.ts";
import { useAtEnd } from "./at-end.ts";
import { byKey, includes } from "./find.ts";
import type { PartProps, Schemas } from "./part.ts";

/** More rows than this are shown on request: thousands of them make a page slow. */
const MOST = 500;

export default function Overview({ iteration, running }: PartProps) {
  const ids = { iteration_id: iteration.id };
  // The changes feed keeps both up to date.
  const parameters = useList("/iterations/{iteration_id}/parameters", { ids });
  const summary = useGet("/iterations/{iteration_id}/metrics/summary", { ids });
  useAtEnd(running, parameters.reload, summary.reload);
  const find = location.value.query.find ?? "";
  if (parameters.error) return <ErrorBox error={parameters.error} retry={parameters.reload} />;
  if (summary.error) return <ErrorBox error={summary.error} retry={summary.reload} />;
  if (!parameters.data || !summary.data) return <Loading />;
  const metrics = Object.entries(summary.data.data).sort(([a], [b]) => byInterest(a, b));
  if (!parameters.data.length && !metrics.length) return <Nothing running={running} />;
  return (
    <>
      <input
        type="search"
        class="find"
        aria-label="Find parameters and metrics"
        placeholder="Find parameters and metrics"
        value={find}
        onInput={(event) => setQuery({ find: event.currentTarget.value })}
      />
      <div class="overview">
        <Metrics rows={metrics.filter(([key]) => includes(find, key))} total={metrics.length} />
        <Parameters
          rows={parameters.data
            .filter(({ key, value }) => includes(find, key, value))
            .toSorted((a, b) => byKey(a.key, b.key))}
          total={parameters.data.length}
        />
      </div>
    </>
  );
}

/** The program's own metrics before the load of the machine. */
function byInterest(a: string, b: string): number {
  return Number(isOfMachine(a)) - Number(isOfMachine(b)) || byKey(a, b);
}

function Nothing({ running }: { running: boolean }) {
  const text = running ? "They appear here as soon as the program logs them." : "The program has logged none.";
  return <Empty title="No parameters and no metrics">{text}</Empty>;
}

function useMost<T>(rows: readonly T[]) {
  const [all, setAll] = useState(false);
  const more = !all && rows.length > MOST;
  const button = more ? <Button onClick={() => setAll(true)}>Show all {rows.length.toLocaleString()}</Button> : null;
  return [more ? rows.slice(0, MOST) : rows, button] as const;
}

function Metrics({ rows, total }: { rows: [string, Schemas["MetricSummary"]][]; total: number }) {
  const [shown, more] = useMost(rows);
  if (!rows.length) return <None title="Metrics" total={total} />;
  return (
    <Section title="Metrics" count={total}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Summary of metrics">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Key</th>
              {["Last", "Min", "Max", "First", "Last step", "Points"].map((title) => (
                <th scope="col" class="number" key={title}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(([key, each]) => (
              <tr key={key}>
                <th scope="row">
                  <a class="key" href={curveOf(key)} title={`The curve of ${key}`}>
                    {key}
                  </a>
                </th>
                <Value value={each.last} strong />
                <Value value={each.min} />
                <Value value={each.max} />
                <Value value={each.first} />
                <td class="number">{each.last_step.toLocaleString()}</td>
                <td class="number">{each.count.toLocaleString()}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {more}
    </Section>
  );
}

/** The tab with the charts, with this one alone. */
function curveOf(key: string): string {
  const expression = `^${key.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`;
  return hashOf(location.value.path, { tab: "charts", "chart-metrics": expression });
}

function Value({ value, strong }: { value: WireNumber; strong?: boolean }) {
  return (
    <td class={`number ${strong ? "is-strong" : ""}`} title={String(value)}>
      {formatNumber(value)}
    </td>
  );
}

function Parameters({ rows, total }: { rows: readonly Schemas["Parameter"][]; total: number }) {
  const [shown, more] = useMost(rows);
  if (!rows.length) return <None title="Parameters" total={total} />;
  return (
    <Section title="Parameters" count={total}>
      <table class="table pairs">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((each) => (
            <tr key={each.id}>
              <th scope="row">{each.key}</th>
              <td>
                <LongValue value={each.value} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </Section>
  );
}

function LongValue({ value }: { value: string }) {
  if (value.length <= 200 && !value.includes("\n")) return <code>{value}</code>;
  return (
    <details>
      <summary>
        <code>{value.slice(0, 120)}…</code>
      </summary>
      <pre class="long-value">{value}</pre>
      <CopyButton text={value} />
    </details>
  );
}

function None({ title, total }: { title: string; total: number }) {
  return (
    <Section title={title} count={total}>
      <p class="note">{total ? "None fits the search." : "None logged."}</p>
    </Section>
  );
}
