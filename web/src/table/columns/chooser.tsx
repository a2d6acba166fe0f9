/** Choose columns out of all that there are. */
import { useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field } from "../../components/field.tsx";
import type { Column } from "./columns.ts";

interface Props {
  all: readonly Column[];
  shown: readonly string[];
  onToggle: (id: string) => void;
  onShow: (ids: readonly string[]) => void;
  onReset: () => void;
}

const MOST = 200;
const KINDS = { field: "", parameter: "parameter", metric: "metric", label: "label" };

export function Chooser({ all, shown, onToggle, onShow, onReset }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [search, setSearch] = useState("");
  const found = all.filter((each) => each.id !== "name" && each.title.toLowerCase().includes(search.toLowerCase()));
  const ids = found.map((each) => each.id);
  const isShown = new Set(shown);
  return (
    <>
      <Button onClick={() => setOpen(true)}>Columns</Button>
      <Dialog title="Columns" open={isOpen} onClose={() => setOpen(false)}>
        <Field label="Search" type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        <p class="chooser-acts">
          <Button
            kind="plain"
            onClick={() => onShow([...shown, ...ids.filter((id) => !isShown.has(id))].slice(0, 1000))}
          >
            Show these
          </Button>
          <Button kind="plain" onClick={() => onShow(shown.filter((id) => !ids.includes(id)))}>
            Hide these
          </Button>
          <Button kind="plain" onClick={onReset}>
            Reset
          </Button>
        </p>
        <ul class="chooser">
          {found.slice(0, MOST).map((column) => (
            <li key={column.id}>
              <label>
                <input type="checkbox" checked={isShown.has(column.id)} onChange={() => onToggle(column.id)} />
                <span class="chooser-title">{column.title}</span>
                <span class="note">{KINDS[column.kind]}</span>
              </label>
            </li>
          ))}
        </ul>
        {found.length > MOST ? <p class="note">{found.length - MOST} more: search for them.</p> : null}
        <p class="dialog-acts">
          <Button kind="primary" onClick={() => setOpen(false)}>
            Done
          </Button>
        </p>
      </Dialog>
    </>
  );
}
