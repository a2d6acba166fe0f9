/** The heads of the columns that are in the page. */
import { memo } from "../../components/memo.ts";
import type { Column } from "../columns/columns.ts";
import { type ColumnActions, HeaderCell } from "../columns/header-cell.tsx";
import { CHECK_WIDTH, type Layout, type Placed } from "./layout.ts";
import { px } from "./window.ts";

interface Props {
  layout: Layout;
  actions: ColumnActions;
  sort: [id: string, isDown: boolean];
  areAllSelected: boolean;
  areSomeSelected: boolean;
  onSelectAll: (isOn: boolean) => void;
  /** The first of the shown columns that the pinned ones do not cover. */
  firstInSight: number;
}

export const Head = memo(({ layout, firstInSight, actions, sort, ...given }: Props) => {
  const { pinned, shown, before, after } = layout;
  const head = ({ column, width, index, left, isPinned }: Placed, caption?: string) => (
    <HeaderCell
      key={column.id}
      column={column}
      width={width}
      index={index}
      left={isPinned ? left : undefined}
      caption={caption}
      sorted={sort[0] === column.id ? (sort[1] ? "descending" : "ascending") : undefined}
      {...actions}
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
            checked={given.areAllSelected}
            indeterminate={!given.areAllSelected && given.areSomeSelected}
            onChange={(event) => given.onSelectAll(event.currentTarget.checked)}
          />
        </th>
        {pinned.map((each) => head(each))}
        {before ? <td aria-hidden="true" style={{ width: px(before) }} /> : null}
        {shown.map((each, at) => head(each, captionAt(at)))}
        {after ? <td aria-hidden="true" style={{ width: px(after) }} /> : null}
      </tr>
    </thead>
  );
});

const CAPTIONS = { field: undefined, parameter: "parameters", metric: "metrics", label: "labels" };

/** The first column in sight of a kind says it for those that follow. */
function captionOf(column: Column | undefined, before: Column | undefined): string | undefined {
  return !column || column.kind === before?.kind ? undefined : CAPTIONS[column.kind];
}
