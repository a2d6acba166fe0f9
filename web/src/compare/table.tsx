/** A column for each iteration: the lines that differ, and on demand the equal ones. */
import { useState } from "preact/hooks";
import { Button, Link } from "../components/basics.tsx";
import { formatNumber } from "../components/format.ts";
import { KeyText } from "../components/key-text.tsx";
import { IterationStatus } from "../components/status.tsx";
import type { Cell, Group, Line } from "./differences.ts";
import type { Compared } from "./read.ts";

// More lines than this are shown on demand: an iteration may have thousands of metrics.
const FIRST = 200;

interface Props {
  all: readonly Compared[];
  groups: readonly Group[];
  onRemove: (id: string) => void;
}

export function CompareTable({ all, groups, onRemove }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
    <section class="scroll" tabIndex={0} aria-label="Differences">
      <table class="table compare">
        <thead>
          <tr>
            <td />
            {all.map(({ iteration }) => (
              <th scope="col" key={iteration.id}>
                <span class="compare-name">
                  <Link to={`/iterations/${iteration.id}`}>{iteration.name}</Link>
                  <Button kind="plain" aria-label={`Remove ${iteration.name}`} onClick={() => onRemove(iteration.id)}>
                    ×
                  </Button>
                </span>
                <IterationStatus id={iteration.status_id} />
              </th>
            ))}
          </tr>
        </thead>
        {groups.map((group) => (
          <GroupLines key={group.title} group={group} columns={all.length} />
        ))}
      </table>
    </section>
  );
}

function GroupLines({ group, columns }: { group: Group; columns: number }) {
  const [opened, setOpened] = useState(false);
  const [most, setMost] = useState(FIRST);
  const lines = opened ? [...group.different, ...group.equal] : group.different;
  const left = lines.length - most;
  return (
    <tbody>
      <tr class="compare-group">
        <th scope="rowgroup">{group.title}</th>
        <td colSpan={columns}>
          {group.equal.length ? (
            <Button kind="plain" aria-expanded={opened} onClick={() => setOpened(!opened)}>
              {opened ? "Hide" : "Show"} {group.equal.length.toLocaleString()} equal
              <span class="visually-hidden"> {group.title.toLowerCase()}</span>
            </Button>
          ) : null}
        </td>
      </tr>
      {lines.slice(0, most).map((line) => (
        <LineRow key={line.key} line={line} isEqual={group.equal.includes(line)} />
      ))}
      {left > 0 ? (
        <tr>
          <td colSpan={columns + 1}>
            <Button onClick={() => setMost(most + 5 * FIRST)}>
              Show {Math.min(left, 5 * FIRST).toLocaleString()} of {left.toLocaleString()} more
            </Button>
          </td>
        </tr>
      ) : null}
    </tbody>
  );
}

function LineRow({ line, isEqual }: { line: Line; isEqual: boolean }) {
  return (
    <tr class={isEqual ? "is-equal" : undefined}>
      <th scope="row">
        <bdi>
          <KeyText text={line.key} />
        </bdi>
      </th>
      {line.cells.map((cell, at) => (
        <td key={at}>
          <CellText cell={cell} />
        </td>
      ))}
    </tr>
  );
}

function CellText({ cell }: { cell: Cell }) {
  if (!cell) return <span class="note">—</span>;
  if ("text" in cell) {
    return (
      <bdi class="compare-text" title={cell.text}>
        {cell.text}
      </bdi>
    );
  }
  return (
    <>
      {formatNumber(cell.last)}
      <span class="note compare-range">
        <span class="visually-hidden">, from the minimum </span>
        {formatNumber(cell.min)} <span aria-hidden="true">…</span>
        <span class="visually-hidden"> to the maximum </span> {formatNumber(cell.max)}
      </span>
    </>
  );
}
