/** The heads of the columns that are in the page. */
import type { Column } from "../columns/columns.ts";
import { HeaderCell } from "../columns/header-cell.tsx";
import type { GridProps } from "./grid.tsx";
import { CHECK_WIDTH, type Layout, type Placed } from "./layout.ts";
import { px } from "./window.ts";

interface Props {
  grid: GridProps;
  layout: Layout;
  /** The first of the shown columns that the pinned ones do not cover. */
  firstInSight: number;
}

export function Head({ grid, layout, firstInSight }: Props) {
  const { rows, selected, sort } = grid;
  const { pinned, shown, before, after } = layout;
  const all = rows.length > 0 && rows.every((row) => selected.has(row.id));
  const head = ({ column, width, index, left, isPinned }: Placed, caption?: string) => (
    <HeaderCell
      key={column.id}
      column={column}
      width={width}
      index={index}
      left={isPinned ? left : undefined}
      caption={caption}
      sorted={sort[0] === column.id ? (sort[1] ? "descending" : "ascending") : undefined}
      {...grid.actions}
    />
  );
  const captionAt = (at: number) => {
    if (at < firstInSight) return undefined;
    return captionOf(shown[at]?.column, at > firstInSight ? shown[at - 1]?.column : undefined);
  };
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
        {pinned.map((each) => head(each))}
        {before ? <td aria-hidden="true" style={{ width: px(before) }} /> : null}
        {shown.map((each, at) => head(each, captionAt(at)))}
        {after ? <td aria-hidden="true" style={{ width: px(after) }} /> : null}
      </tr>
    </thead>
  );
}

const CAPTIONS = { field: undefined, parameter: "parameters", metric: "metrics", label: "labels" };

/** The first column in sight of a kind says it for those that follow. */
function captionOf(column: Column | undefined, before: Column | undefined): string | undefined {
  return !column || column.kind === before?.kind ? undefined : CAPTIONS[column.kind];
}
