/** The table itself. Only the rows and columns near the screen are in the page; all rows have one height. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Cell } from "./cell.tsx";
import type { Column } from "./columns.ts";
import { GroupCell, GroupName } from "./group-cell.tsx";
import { type ColumnActions, HeaderCell } from "./header-cell.tsx";
import type { GroupLine, Line } from "./lines.ts";
import type { Row } from "./model.ts";
import { columnsOnScreen, px, rowsOnScreen, sum } from "./window.ts";

export const ROW_HEIGHT = 32;
const CHECK_WIDTH = 34;
const NARROW_SCREEN = 600;
const NAME_ON_NARROW = 150;

interface Props {
  rows: readonly Row[];
  lines: readonly Line[];
  baseline: Row | undefined;
  onToggleGroup: (key: string) => void;
  onSelectMany: (ids: readonly string[], isOn: boolean) => void;
  /** The pinned columns, the name among them, come first. */
  columns: readonly Column[];
  pinned: ReadonlySet<string>;
  widthOf: (column: Column) => number;
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

export function Grid(props: Props) {
  const { rows, lines, columns, selected } = props;
  const scroller = useRef<HTMLElement>(null);
  const place = usePlace(scroller);
  const focus = useFocus(scroller, lines);
  const isNarrow = place.width < NARROW_SCREEN;
  const widthOf = (column: Column) =>
    isNarrow && column.id === "name" ? Math.min(NAME_ON_NARROW, props.widthOf(column)) : props.widthOf(column);
  const pinned = columns.filter((each) => each.id === "name" || (!isNarrow && props.pinned.has(each.id)));
  const free = columns.filter((each) => !pinned.includes(each));
  const pinnedWidth = CHECK_WIDTH + sum(pinned.map(widthOf));
  const widths = free.map(widthOf);
  const span = columnsOnScreen(widths, place.left, place.width - pinnedWidth);
  const shown = free.slice(span.first, span.end);
  const before = sum(widths.slice(0, span.first));
  const after = sum(widths.slice(span.end));
  const seen = rowsOnScreen(lines.length, ROW_HEIGHT, place.top, place.height);
  const lefts = pinned.map((_, at) => CHECK_WIDTH + sum(pinned.slice(0, at).map(widthOf)));
  const cells = 1 + pinned.length + shown.length + (before ? 1 : 0) + (after ? 1 : 0);
  const isAtEnd = seen.end >= lines.length;
  useEffect(() => {
    if (isAtEnd) props.onEnd();
  }, [isAtEnd, rows.length, lines.length]);
  const indexOf = (column: Column) =>
    2 + (pinned.includes(column) ? pinned.indexOf(column) : pinned.length + free.indexOf(column));
  const head = (column: Column, left: number | undefined, caption?: string) => (
    <HeaderCell
      key={column.id}
      column={column}
      width={widthOf(column)}
      index={indexOf(column)}
      left={left}
      caption={caption}
      sorted={props.sort[0] === column.id ? (props.sort[1] ? "descending" : "ascending") : undefined}
      {...props.actions}
    />
  );
  const group = (line: GroupLine, at: number) => {
    const ids = line.rows.map((row) => row.id);
    const isOn = ids.every((id) => selected.has(id));
    const left = (place: number) => ({ left: px(lefts[place] ?? 0) });
    return (
      <tr key={line.key} data-line={at} aria-rowindex={at + 2} class="is-group" onFocusCapture={() => focus.set(at)}>
        <td class="is-pinned grid-check" style={{ left: px(0) }} aria-colindex={1}>
          <input
            type="checkbox"
            aria-label={`Select the group ${line.column.title} = ${line.value}`}
            checked={isOn}
            tabIndex={focus.isTabStop(at, seen) ? 0 : -1}
            onChange={(event) => props.onSelectMany(ids, event.currentTarget.checked)}
          />
        </td>
        {pinned.map((column, place) =>
          column.id === "name" ? (
            <th key={column.id} scope="row" class="is-pinned" style={left(place)} aria-colindex={indexOf(column)}>
              <GroupName line={line} authorOf={props.authorOf} onToggle={() => props.onToggleGroup(line.key)} />
            </th>
          ) : (
            <td key={column.id} class="is-pinned number" style={left(place)} aria-colindex={indexOf(column)}>
              <GroupCell line={line} column={column} />
            </td>
          ),
        )}
        {before ? <td aria-hidden="true" /> : null}
        {shown.map((column) => (
          <td key={column.id} class={column.isNumber ? "number" : undefined} aria-colindex={indexOf(column)}>
            <GroupCell line={line} column={column} />
          </td>
        ))}
        {after ? <td aria-hidden="true" /> : null}
      </tr>
    );
  };
  const all = rows.length > 0 && rows.every((row) => selected.has(row.id));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the table scrolls, also by keyboard
    <section ref={scroller} class="grid" tabIndex={0} aria-label="Iterations" aria-busy={props.isBusy}>
      <table
        style={{ width: px(pinnedWidth + sum(widths)) }}
        aria-rowcount={Math.max(props.total, lines.length) + 1}
        aria-colcount={1 + columns.length}
      >
        <thead>
          <tr aria-rowindex={1}>
            <th
              scope="col"
              class="is-pinned grid-check"
              style={{ width: px(CHECK_WIDTH), left: px(0) }}
              aria-colindex={1}
            >
              <input
                type="checkbox"
                aria-label="Select all"
                checked={all}
                indeterminate={!all && selected.size > 0}
                onChange={(event) => props.onSelectAll(event.currentTarget.checked)}
              />
            </th>
            {pinned.map((column, at) => head(column, lefts[at]))}
            {before ? <td aria-hidden="true" style={{ width: px(before) }} /> : null}
            {shown.map((column, at) => head(column, undefined, captionOf(column, shown[at - 1])))}
            {after ? <td aria-hidden="true" style={{ width: px(after) }} /> : null}
          </tr>
        </thead>
        <tbody onKeyDown={(event) => focus.onKey(event, props.onSelect)}>
          <Gap rows={seen.first} cells={cells} />
          {lines.slice(seen.first, seen.end).map((each, at) => {
            const line = seen.first + at;
            if (each.kind === "group") return group(each, line);
            const { row } = each;
            const isOn = selected.has(row.id);
            return (
              <tr
                key={each.key}
                data-line={line}
                aria-rowindex={line + 2}
                class={`${isOn ? "is-selected" : ""} ${row === props.baseline ? "is-baseline" : ""}`}
                onFocusCapture={() => focus.set(line)}
              >
                <td class="is-pinned grid-check" style={{ left: px(0) }} aria-colindex={1}>
                  <input
                    type="checkbox"
                    aria-label={`Select ${row.name}`}
                    checked={isOn}
                    tabIndex={focus.isTabStop(line, seen) ? 0 : -1}
                    onClick={(event) => props.onSelect(row.id, event.currentTarget.checked, event.shiftKey)}
                  />
                </td>
                {pinned.map((column, place) => {
                  const Tag = column.id === "name" ? "th" : "td";
                  return (
                    <Tag
                      key={column.id}
                      {...(column.id === "name" ? { scope: "row" } : {})}
                      class={`is-pinned ${column.isNumber ? "number" : ""}`}
                      style={{ left: px(lefts[place] ?? 0) }}
                      aria-colindex={indexOf(column)}
                    >
                      <Cell
                        row={row}
                        column={column}
                        authorOf={props.authorOf}
                        baseline={props.baseline}
                        depth={each.depth}
                      />
                    </Tag>
                  );
                })}
                {before ? <td aria-hidden="true" /> : null}
                {shown.map((column) => (
                  <td key={column.id} class={column.isNumber ? "number" : undefined} aria-colindex={indexOf(column)}>
                    <Cell
                      row={row}
                      column={column}
                      authorOf={props.authorOf}
                      baseline={props.baseline}
                      depth={each.depth}
                    />
                  </td>
                ))}
                {after ? <td aria-hidden="true" /> : null}
              </tr>
            );
          })}
          <Gap rows={lines.length - seen.end} cells={cells} />
        </tbody>
      </table>
    </section>
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
