/** The rows of the table. A row that stays on the screen is not rendered again while the table scrolls. */
import type { ComponentChild } from "preact";
import { memo } from "../../components/memo.ts";
import type { Column } from "../columns/columns.ts";
import type { GroupLine, Line, RowLine } from "../rows/lines.ts";
import { Cell } from "./cell.tsx";
import { isEditable } from "./editing.tsx";
import { CHECK } from "./focus.ts";
import type { RowContext } from "./grid.tsx";
import { GroupCell, GroupName } from "./group-cell.tsx";
import type { Layout, Placed } from "./layout.ts";
import { RowTools } from "./row-tools.tsx";
import { HEAD_HEIGHT, ROW_HEIGHT } from "./rows-on-screen.ts";
import { px } from "./window.ts";

interface Props<L extends Line> {
  context: RowContext;
  layout: Layout;
  line: L;
  /** Its place among the lines. */
  at: number;
  /** It stays in sight, below the head of the table. */
  isStuck: boolean;
  isTabStop: boolean;
  onFocus: (at: number) => void;
}

type RowProps = Omit<Props<RowLine>, "line"> & Pick<RowLine, "row" | "depth">;

export function GridRow({ line, ...given }: Props<Line>) {
  if (line.kind === "group") return <RowOfGroup {...given} line={line} />;
  return <RowOfIteration {...given} row={line.row} depth={line.depth} />;
}

const RowOfIteration = memo((props: RowProps) => {
  const { context, layout, row, depth, at, isStuck, isTabStop, onFocus } = props;
  const isOn = context.selected.has(row.id);
  const tabIndex = isTabStop ? 0 : -1;
  const kinds = [
    isOn && "is-selected",
    row.id === context.baseline?.id && at < context.topCount && "is-baseline",
    at < context.topCount && "is-top",
    at === context.topCount - 1 && "is-last-top",
    isStuck && "is-stuck",
  ];
  return (
    <tr
      data-line={at}
      aria-rowindex={at + 2}
      class={kinds.filter(Boolean).join(" ")}
      style={isStuck ? { "--top": px(HEAD_HEIGHT + at * ROW_HEIGHT) } : undefined}
      onFocusCapture={() => onFocus(at)}
    >
      <CheckCell>
        <input
          type="checkbox"
          aria-label={`Select ${row.name}`}
          checked={isOn}
          tabIndex={tabIndex}
          onClick={(event) => context.onSelect(row.id, event.currentTarget.checked, event.shiftKey)}
        />
      </CheckCell>
      {cellsOf(layout, (column, width) => ({
        content: (
          <>
            <Cell context={context} row={row} column={column} width={width} depth={depth} tabIndex={tabIndex} />
            {column.id === "name" ? <RowTools context={context} row={row} at={at} tabIndex={tabIndex} /> : null}
          </>
        ),
        ...(context.save && isEditable(column) ? { "aria-readonly": false } : {}),
        tabIndex: context.save && isEditable(column) && column.id !== "name" ? tabIndex : -1,
      }))}
    </tr>
  );
});

const RowOfGroup = memo(({ context, layout, line, at, isTabStop, onFocus }: Props<GroupLine>) => {
  const ids = line.rows.map((row) => row.id);
  const tabIndex = isTabStop ? 0 : -1;
  return (
    <tr data-line={at} aria-rowindex={at + 2} class="is-group" onFocusCapture={() => onFocus(at)}>
      <CheckCell>
        <input
          type="checkbox"
          aria-label={`Select the group ${line.column.title} = ${line.value}`}
          checked={ids.every((id) => context.selected.has(id))}
          tabIndex={tabIndex}
          onChange={(event) => context.onSelectMany(ids, event.currentTarget.checked)}
        />
      </CheckCell>
      {cellsOf(layout, (column, width) => ({
        content:
          column.id === "name" ? (
            <GroupName
              line={line}
              authorOf={context.authorOf}
              tabIndex={tabIndex}
              onToggle={() => context.onToggleGroup(line.key)}
            />
          ) : (
            <GroupCell line={line} column={column} width={width} />
          ),
        tabIndex: -1,
      }))}
    </tr>
  );
});

function CheckCell({ children }: { children: ComponentChild }) {
  return (
    <td class="is-pinned grid-check" style={{ left: px(0) }} data-column={CHECK} aria-colindex={1}>
      {children}
    </td>
  );
}

interface Contents {
  content: ComponentChild;
  tabIndex: number;
  "aria-readonly"?: boolean;
}

/** The cells of a row with their contents, and one in place of the columns on each side that are not in the page. */
function cellsOf({ pinned, shown, before, after }: Layout, of: (column: Column, width: number) => Contents) {
  const cell = ({ column, width, index, left, isPinned }: Placed) => {
    const { content, ...attributes } = of(column, width);
    const Tag = column.id === "name" ? "th" : "td";
    const kinds = [isPinned && "is-pinned", column.isNumber && "number"].filter(Boolean).join(" ");
    return (
      <Tag
        key={column.id}
        {...(column.id === "name" ? { scope: "row" } : {})}
        {...attributes}
        class={kinds || undefined}
        style={isPinned ? { left: px(left) } : undefined}
        data-column={column.id}
        aria-colindex={index}
      >
        {content}
      </Tag>
    );
  };
  return [
    ...pinned.map(cell),
    before ? <td key="<" aria-hidden="true" /> : null,
    ...shown.map(cell),
    after ? <td key=">" aria-hidden="true" /> : null,
  ];
}
