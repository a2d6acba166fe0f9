/** The table itself. Only the rows and columns near the screen are in the page; all rows have one height. */
import { useEffect, useRef } from "preact/hooks";
import { useSteady } from "../../components/steady.ts";
import type { ColumnActions } from "../columns/header-cell.tsx";
import type { Line } from "../rows/lines.ts";
import type { Row } from "../rows/model.ts";
import { CellEditor, useEditing } from "./editing.tsx";
import { useFocus } from "./focus.ts";
import { GridRow } from "./grid-row.tsx";
import { Head } from "./head.tsx";
import { type Columns, type Layout, useLayout } from "./layout.ts";
import { ROW_HEIGHT, shownRows } from "./rows-on-screen.ts";
import { useScrollPosition } from "./scroll-position.ts";
import { px } from "./window.ts";

export interface GridProps extends Columns {
  rows: readonly Row[];
  /** The pinned rows come first. */
  lines: readonly Line[];
  topCount: number;
  baseline: Row | undefined;
  onToggleGroup: (key: string) => void;
  onSelectMany: (ids: readonly string[], isOn: boolean) => void;
  sort: [id: string, isDown: boolean];
  actions: ColumnActions;
  selected: ReadonlySet<string>;
  onSelect: (id: string, isOn: boolean, isRange: boolean) => void;
  onSelectAll: (isOn: boolean) => void;
  pinnedRows: ReadonlySet<string>;
  onPinRow: (id: string) => void;
  authorOf: (id: string) => string;
  lastSeen: ReadonlyMap<string, string>;
  /** Saves a name, notes or tags; undefined where the user may change nothing. */
  save: ((row: Row, field: string, text: string) => Promise<void>) | undefined;
  /** How many rows there are with those of further pages. */
  total: number;
  isBusy: boolean;
  /** Other rows are being read in place of these. */
  isOld: boolean;
  /** The rows are those of an earlier filter: the present one is wrong. */
  isStale: boolean;
  /** With another filter, order or groups the table begins at its top again. */
  query: string;
  /** The last rows are near the screen. */
  onEnd: () => void;
}

/** What the rows show, apart from themselves. */
export type RowContext = Pick<
  GridProps,
  | "topCount"
  | "baseline"
  | "selected"
  | "pinnedRows"
  | "authorOf"
  | "lastSeen"
  | "save"
  | "onToggleGroup"
  | "onSelectMany"
  | "onSelect"
  | "onPinRow"
>;

/** A column with less in sight has no room for the name of its kind. */
const CAPTION_WIDTH = 60;

/** Only what changes is rendered again: the rows do not depend on what else the page has learned meanwhile. */
export function Grid(props: GridProps) {
  const { rows, lines, columns, topCount } = props;
  const scroller = useRef<HTMLElement>(null);
  const position = useScrollPosition(scroller);
  const layout = useLayout(props, position.left, position.width);
  const shown = shownRows(lines.length, topCount, position);
  const { stuck, span } = shown;
  const focus = useFocus(scroller, { lines, layout, shown, position, onSelect: props.onSelect });
  const editing = useEditing(props, layout, focus.go);
  const edge = position.left + layout.pinnedWidth;
  const firstInSight = layout.shown.findIndex(({ left, width }) => left + width > edge + CAPTION_WIDTH);
  const context = useRowContext(props);
  const head = useHead(props, layout, firstInSight);
  const query = useRef(props.query);
  useEffect(() => {
    if (query.current !== props.query && scroller.current) scroller.current.scrollTop = 0;
    query.current = props.query;
  }, [props.query]);
  const isAtEnd = span.end >= lines.length;
  useEffect(() => {
    if (isAtEnd) props.onEnd();
  }, [isAtEnd, rows.length, lines.length]);
  const cells = 1 + layout.pinned.length + layout.shown.length + (layout.before ? 1 : 0) + (layout.after ? 1 : 0);
  const linesBetween = (from: number, to: number) =>
    lines.slice(from, to).map((line, place) => {
      const at = from + place;
      return (
        <GridRow
          key={line.key}
          context={context}
          layout={layout}
          line={line}
          at={at}
          isStuck={at < stuck}
          isTabStop={focus.isTabStop(at)}
          onFocus={focus.set}
        />
      );
    });
  return (
    <section
      ref={scroller}
      class={`grid ${props.isStale ? "is-stale" : props.isOld ? "is-old" : ""}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the table scrolls, also by keyboard
      tabIndex={0}
      aria-label="Iterations"
      aria-busy={props.isBusy}
    >
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: its cells take the focus
        role="grid"
        aria-readonly={!props.save}
        style={{ width: px(layout.width) }}
        aria-rowcount={Math.max(props.total + topCount, lines.length) + 1}
        aria-colcount={1 + columns.length}
      >
        <Head {...head} />
        <tbody
          onKeyDown={(event) => {
            if (!editing.onKey(event)) focus.onKey(event);
          }}
          onClick={editing.onClick}
          onDblClick={editing.onDoubleClick}
        >
          {linesBetween(0, topCount)}
          <Gap rows={span.first - topCount} cells={cells} />
          {linesBetween(span.first, span.end)}
          <Gap rows={lines.length - span.end} cells={cells} />
        </tbody>
      </table>
      {editing.cell ? (
        <CellEditor
          key={editing.cell.row.id + editing.cell.placed.column.id}
          {...editing}
          cell={editing.cell}
          scroller={scroller}
          stuck={stuck}
          grid={props}
        />
      ) : null}
    </section>
  );
}

function useRowContext(props: GridProps): RowContext {
  const { topCount, baseline, selected, pinnedRows, authorOf, lastSeen, save } = props;
  const { onToggleGroup, onSelectMany, onSelect, onPinRow } = props;
  return useSteady({
    ...{ topCount, baseline, selected, pinnedRows, authorOf, lastSeen, save },
    ...{ onToggleGroup, onSelectMany, onSelect, onPinRow },
  });
}

function useHead({ rows, selected, sort, onSelectAll, ...given }: GridProps, layout: Layout, firstInSight: number) {
  const hasAll = rows.length > 0 && rows.length <= selected.size;
  const areAllSelected = hasAll && rows.every((row) => selected.has(row.id));
  const areSomeSelected = selected.size > 0;
  const actions = useSteady(given.actions);
  return useSteady({ layout, firstInSight, sort, actions, areAllSelected, areSomeSelected, onSelectAll });
}

function Gap({ rows, cells }: { rows: number; cells: number }) {
  if (rows <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a gap takes no focus
    <tr aria-hidden="true" class="grid-gap">
      <td colSpan={cells} style={{ height: px(rows * ROW_HEIGHT) }} />
    </tr>
  );
}
