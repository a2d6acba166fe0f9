/** The rows of the table. A row that stays on the screen is not rendered again while the table scrolls. */
import type { ComponentChild } from "preact";
import { memo } from "../components/memo.ts";
import { Cell } from "./cell.tsx";
import type { Column } from "./columns.ts";
import type { GridProps } from "./grid.tsx";
import { GroupCell, GroupName } from "./group-cell.tsx";
import type { Layout } from "./layout.ts";
import type { GroupLine, Line, RowLine } from "./lines.ts";
import { px } from "./window.ts";

interface Props<L extends Line> {
  grid: GridProps;
  layout: Layout;
  line: L;
  /** Its place among the lines. */
  at: number;
  isTabStop: boolean;
  onFocus: (at: number) => void;
}

export const GridRow = memo((props: Props<Line>) =>
  props.line.kind === "group" ? (
    <RowOfGroup {...props} line={props.line} />
  ) : (
    <RowOfIteration {...props} line={props.line} />
  ),
);

function RowOfIteration({ grid, layout, line, at, isTabStop, onFocus }: Props<RowLine>) {
  const { row } = line;
  const isOn = grid.selected.has(row.id);
  const { authorOf, baseline } = grid;
  return (
    <tr
      data-line={at}
      aria-rowindex={at + 2}
      class={`${isOn ? "is-selected" : ""} ${row === baseline ? "is-baseline" : ""}`}
      onFocusCapture={() => onFocus(at)}
    >
      <CheckCell>
        <input
          type="checkbox"
          aria-label={`Select ${row.name}`}
          checked={isOn}
          tabIndex={isTabStop ? 0 : -1}
          onClick={(event) => grid.onSelect(row.id, event.currentTarget.checked, event.shiftKey)}
        />
      </CheckCell>
      {cellsOf(layout, (column) => (
        <Cell row={row} column={column} authorOf={authorOf} baseline={baseline} depth={line.depth} />
      ))}
    </tr>
  );
}

function RowOfGroup({ grid, layout, line, at, isTabStop, onFocus }: Props<GroupLine>) {
  const ids = line.rows.map((row) => row.id);
  return (
    <tr data-line={at} aria-rowindex={at + 2} class="is-group" onFocusCapture={() => onFocus(at)}>
      <CheckCell>
        <input
          type="checkbox"
          aria-label={`Select the group ${line.column.title} = ${line.value}`}
          checked={ids.every((id) => grid.selected.has(id))}
          tabIndex={isTabStop ? 0 : -1}
          onChange={(event) => grid.onSelectMany(ids, event.currentTarget.checked)}
        />
      </CheckCell>
      {cellsOf(layout, (column) =>
        column.id === "name" ? (
          <GroupName line={line} authorOf={grid.authorOf} onToggle={() => grid.onToggleGroup(line.key)} />
        ) : (
          <GroupCell line={line} column={column} />
        ),
      )}
    </tr>
  );
}

function CheckCell({ children }: { children: ComponentChild }) {
  return (
    <td class="is-pinned grid-check" style={{ left: px(0) }} aria-colindex={1}>
      {children}
    </td>
  );
}

/** The cells of a row with their contents, and one in place of the columns on each side that are not in the page. */
function cellsOf({ pinned, shown, before, after }: Layout, contentOf: (column: Column) => ComponentChild) {
  return [
    ...pinned.map(({ column, index, left }) => {
      const Tag = column.id === "name" ? "th" : "td";
      return (
        <Tag
          key={column.id}
          {...(column.id === "name" ? { scope: "row" } : {})}
          class={`is-pinned ${column.isNumber ? "number" : ""}`}
          style={{ left: px(left) }}
          aria-colindex={index}
        >
          {contentOf(column)}
        </Tag>
      );
    }),
    before ? <td key="<" aria-hidden="true" /> : null,
    ...shown.map(({ column, index }) => (
      <td key={column.id} class={column.isNumber ? "number" : undefined} aria-colindex={index}>
        {contentOf(column)}
      </td>
    )),
    after ? <td key=">" aria-hidden="true" /> : null,
  ];
}
