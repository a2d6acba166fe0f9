/** Which iterations the charts show, in their colours. Pointing at one lights its curves. */
import { useState } from "preact/hooks";
import { Link } from "../components/basics.tsx";
import { light, lit } from "./hover.ts";
import { type Looks, lookOf } from "./look.ts";
import type { Run } from "./rows.ts";
import { Swatch } from "./swatch.tsx";

interface Props {
  runs: readonly Run[];
  looks: Looks;
  isShown: (id: string) => boolean;
  /** Undefined where the choice is made elsewhere. */
  onToggle?: ((id: string) => void) | undefined;
}

const SEARCH_FROM = 12;

export function Legend({ runs, looks, isShown, onToggle }: Props) {
  const [text, setText] = useState("");
  const found = runs.filter((run) => run.name.toLowerCase().includes(text.toLowerCase()));
  const shown = runs.filter((run) => isShown(run.id)).length;
  return (
    <aside class="chart-legend" aria-label="Iterations of the charts">
      <details open={window.innerWidth > 640}>
        <summary>
          Iterations <span class="count">{shown === runs.length ? shown : `${shown} of ${runs.length}`}</span>
        </summary>
        {runs.length >= SEARCH_FROM ? (
          <input
            type="search"
            placeholder="Search"
            aria-label="Search iterations"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        ) : null}
        <ul onPointerLeave={() => light(undefined)}>
          {found.map((run) => (
            <LegendRow key={run.id} run={run} looks={looks} isShown={isShown(run.id)} onToggle={onToggle} />
          ))}
        </ul>
      </details>
    </aside>
  );
}

function LegendRow({
  run,
  looks,
  isShown,
  onToggle,
}: {
  run: Run;
  looks: Looks;
  isShown: boolean;
  onToggle: Props["onToggle"];
}) {
  const { cssColourOf, dashOf } = lookOf(looks);
  const line = looks.groupOf ? looks.groupOf(run.id) : run.id;
  const id = isShown ? line : undefined;
  return (
    <li class={id !== undefined && lit.value === id ? "is-lit" : ""} onPointerEnter={() => light(id)}>
      {onToggle ? (
        <input type="checkbox" aria-label={`Show ${run.name}`} checked={isShown} onChange={() => onToggle(run.id)} />
      ) : null}
      {isShown ? <Swatch colour={cssColourOf(line)} dash={dashOf(line)} /> : <span class="swatch" />}
      <Link to={`/iterations/${run.id}`}>{run.name}</Link>
      {run.running ? <span class="note">running</span> : null}
    </li>
  );
}
