/** Above the table: columns, what is shown of the rows, saved views, CSV, and the number of rows. */
import { useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import type { Rights } from "../../state/rights.ts";
import { SECRET } from "../../state/share.ts";
import { Chooser } from "../columns/chooser.tsx";
import type { Column } from "../columns/columns.ts";
import type { Row } from "../rows/model.ts";
import type { State, TableData } from "../rows/table-data.ts";
import { joined, type Query, toggled } from "../settings.ts";
import { Count } from "./count.tsx";
import { needing } from "./coverage.ts";
import { CsvButton } from "./csv-button.tsx";
import { Views } from "./views.tsx";

interface Props {
  projectId: string | undefined;
  experimentName: string | undefined;
  state: Query;
  change: (to: Query) => void;
  rights: Rights;
  all: readonly Column[];
  shown: readonly string[];
  columns: readonly Column[];
  groups: readonly Column[];
  onGroup: (column: Column) => void;
  baseline: Row | undefined;
  data: TableData;
  table: State;
  authorOf: (id: string) => string;
}

export function Toolbar({ state, change, rights, ...props }: Props) {
  const { shown, data, table, baseline } = props;
  const setColumns = (ids: readonly string[]) => change({ columns: joined(ids) });
  const [isOpen, setOpen] = useState(false);
  return (
    <div class={`grid-tools ${isOpen ? "is-open" : ""}`}>
      <Button class="grid-tools-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? "Fewer tools" : "Columns, views, CSV"}
      </Button>
      <Chooser
        all={props.all}
        shown={shown}
        onToggle={(id) => setColumns(toggled(shown, id))}
        onShow={setColumns}
        onReset={() => change({ columns: undefined, pinned: undefined, widths: undefined })}
      />
      <Check label="Only what differs" name="differs" state={state} change={change} />
      <Check label="Children below parents" name="tree" state={state} change={change} />
      {props.groups.map((column) => (
        <Button
          class="is-state"
          key={column.id}
          onClick={() => props.onGroup(column)}
          aria-label={`Do not group by ${column.title}`}
        >
          <span class="clip">Group: {column.title}</span> ×
        </Button>
      ))}
      {baseline ? (
        <Button class="is-state" onClick={() => change({ baseline: undefined })} aria-label="No baseline">
          <span class="clip">Baseline: {baseline.name}</span> ×
        </Button>
      ) : null}
      {SECRET ? null : (
        <Views
          projectId={props.projectId}
          state={state}
          mayCreate={rights.create}
          mayDelete={rights.delete}
          onShow={change}
        />
      )}
      <CsvButton
        data={data}
        name={props.experimentName ?? "iterations"}
        columns={props.columns}
        authorOf={props.authorOf}
      />
      <Count table={table} needs={needing(state)} onReload={() => data.reload()} />
    </div>
  );
}

interface CheckProps {
  label: string;
  name: "differs" | "tree";
  state: Query;
  change: (to: Query) => void;
}

function Check({ label, name, state, change }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={!!state[name]}
        onChange={(event) => change({ [name]: event.currentTarget.checked ? "1" : undefined })}
      />
      {label}
    </label>
  );
}
