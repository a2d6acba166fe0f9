/** The table itself. Only the rows and columns near the screen are in the page; all rows have one height. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Column } from "./columns.ts";
import { GridRow } from "./grid-row.tsx";
import { type ColumnActions, HeaderCell } from "./header-cell.tsx";
import { CHECK_WIDTH, type Columns, type Layout, useLayout } from "./layout.ts";
import type { Line } from "./lines.ts";
import type { Row } from "./model.ts";
import { px, rowsOnScreen } from "./window.ts";

export const ROW_HEIGHT = 32;

export interface GridProps extends Columns {
  rows: readonly Row[];
  lines: readonly Line[];
  baseline: Row | undefined;
  onToggleGroup: (key: string) => void;
  onSelectMany: (ids: readonly string[], isOn: boolean) => void;
  sort: [id: string, isDown: boolean];
  actions: ColumnActions;
  selected: ReadonlySet<string>;
  onSelect: (id: string, isOn: boolean, isRange: boolean) => void;
  onSelectAll: (isOn: boolean) => void;
  authorOf: (id: string) => string;
  /** How many rows there are with those of further pages. */
  total: number;
  isBusy: boolean;
  /** The last rows are near the screen. */
  onEnd: () => void;
}

/** Scrolling changes no prop: what depends on the props and the layout alone is then kept. */
export function Grid(props: GridProps) {
  const { rows, lines, columns } = props;
  const scroller = useRef<HTMLElement>(null);
  const place = usePlace(scroller);
  const focus = useFocus(scroller, lines);
  const layout = useLayout(props, place.left, place.width);
  const head = useMemo(() => <Head grid={props} layout={layout} />, [props, layout]);
  const seen = rowsOnScreen(lines.length, ROW_HEIGHT, place.top, place.height);
  const isAtEnd = seen.end >= lines.length;
  useEffect(() => {
    if (isAtEnd) props.onEnd();
  }, [isAtEnd, rows.length, lines.length]);
  const cells = 1 + layout.pinned.length + layout.shown.length + (layout.before ? 1 : 0) + (layout.after ? 1 : 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the table scrolls, also by keyboard
    <section ref={scroller} class="grid" tabIndex={0} aria-label="Iterations" aria-busy={props.isBusy}>
      <table
        style={{ width: px(layout.width) }}
        aria-rowcount={Math.max(props.total, lines.length) + 1}
        aria-colcount={1 + columns.length}
      >
        {head}
        <tbody onKeyDown={(event) => focus.onKey(event, props.onSelect)}>
          <Gap rows={seen.first} cells={cells} />
          {lines.slice(seen.first, seen.end).map((line, place) => {
            const at = seen.first + place;
            return (
              <GridRow
                key={line.key}
                grid={props}
                layout={layout}
                line={line}
                at={at}
                isTabStop={focus.isTabStop(at, seen)}
                onFocus={focus.set}
              />
            );
          })}
          <Gap rows={lines.length - seen.end} cells={cells} />
        </tbody>
      </table>
    </section>
  );
}

function Head({ grid, layout }: { grid: GridProps; layout: Layout }) {
  const { rows, selected, sort } = grid;
  const { pinned, shown, before, after } = layout;
  const all = rows.length > 0 && rows.every((row) => selected.has(row.id));
  const head = ({ column, width, index }: Layout["shown"][number], left?: number, caption?: string) => (
    <HeaderCell
      key={column.id}
      column={column}
      width={width}
      index={index}
      left={left}
      caption={caption}
      sorted={sort[0] === column.id ? (sort[1] ? "descending" : "ascending") : undefined}
      {...grid.actions}
    />
  );
  return (
    <thead>
      <tr aria-rowindex={1}>
        <th scope="col" class="is-pinned grid-check" style={{ width: px(CHECK_WIDTH), left: px(0) }} aria-colindex={1}>
          <input
            type="checkbox"
            aria-label="Select all"
            checked={all}
            indeterminate={!all && selected.size > 0}
            onChange={(event) => grid.onSelectAll(event.currentTarget.checked)}
          />
        </th>
        {pinned.map((each) => head(each, each.left))}
        {before ? <td aria-hidden="true" style={{ width: px(before) }} /> : null}
        {shown.map((each, at) => head(each, undefined, captionOf(each.column, shown[at - 1]?.column)))}
        {after ? <td aria-hidden="true" style={{ width: px(after) }} /> : null}
      </tr>
    </thead>
  );
}

const CAPTIONS = { field: undefined, parameter: "parameters", metric: "metrics", label: "labels" };

/** The first column on the screen of a kind says it for those that follow. */
function captionOf(column: Column, before: Column | undefined): string | undefined {
  return column.kind === before?.kind ? undefined : CAPTIONS[column.kind];
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

interface Place {
  top: number;
  left: number;
  width: number;
  height: number;
}

/** Where the table is scrolled to, and how large its part on the screen is. */
function usePlace(scroller: { current: HTMLElement | null }): Place {
  const [place, setPlace] = useState<Place>({ top: 0, left: 0, width: 1200, height: 800 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const read = () => {
      const { scrollTop: top, scrollLeft: left, clientWidth: width, clientHeight: height } = element;
      setPlace((old) => {
        const same = old.top === top && old.left === left && old.width === width && old.height === height;
        return same ? old : { top, left, width, height };
      });
    };
    const observer = new ResizeObserver(read);
    observer.observe(element);
    element.addEventListener("scroll", read, { passive: true });
    read();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", read);
    };
  }, []);
  return place;
}

type Select = (id: string, isOn: boolean, isRange: boolean) => void;

/** Up and down move between rows; one row at a time is in the order of the Tab key. */
function useFocus(scroller: { current: HTMLElement | null }, lines: readonly Line[]) {
  const [active, setActive] = useState(0);
  const wanted = useRef<{ line: number; selector: string } | undefined>(undefined);
  useLayoutEffect(() => {
    const { line, selector } = wanted.current ?? { line: -1, selector: "" };
    const element = scroller.current?.querySelector<HTMLElement>(`tr[data-line="${line}"] ${selector}`);
    if (!element) return;
    element.focus({ preventScroll: true });
    wanted.current = undefined;
  });
  const go = (line: number, selector: string) => {
    wanted.current = { line, selector };
    setActive(line);
    const element = scroller.current;
    if (!element) return;
    const head = element.querySelector("thead")?.offsetHeight ?? 0;
    const top = line * ROW_HEIGHT;
    if (top < element.scrollTop) element.scrollTop = top;
    const bottom = top + ROW_HEIGHT + head - element.clientHeight;
    if (bottom > element.scrollTop) element.scrollTop = bottom;
  };
  const onKey = (event: KeyboardEvent, onSelect: Select) => {
    const target = event.target as HTMLElement;
    const line = Number(target.closest("tr")?.dataset.line);
    const to = nextLine(event, line, lines.length);
    if (to === undefined || Number.isNaN(line)) return;
    event.preventDefault();
    for (const each of event.shiftKey ? [lines[line], lines[to]] : [])
      if (each?.kind === "row") onSelect(each.row.id, true, false);
    go(to, target instanceof HTMLInputElement ? "input" : "th :is(a, button)");
  };
  const isTabStop = (line: number, shown: { first: number; end: number }) =>
    line === (active >= shown.first && active < shown.end ? active : shown.first);
  return { set: setActive, onKey, isTabStop };
}

function nextLine(event: KeyboardEvent, line: number, count: number): number | undefined {
  if (event.key === "ArrowDown") return Math.min(count - 1, line + 1);
  if (event.key === "ArrowUp") return Math.max(0, line - 1);
  if (event.key === "Home" && event.ctrlKey) return 0;
  if (event.key === "End" && event.ctrlKey) return count - 1;
  return undefined;
}
