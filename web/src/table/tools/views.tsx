/** Saved views of the project: a name for a state of the table, which all members share. */
import { useId, useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorBox } from "../../components/error-box.tsx";
import { Field } from "../../components/field.tsx";
import { api } from "../../state/api.ts";
import { useList } from "../../state/use.ts";
import { type Query, VIEW_NAMES, viewOf } from "../settings.ts";

interface Props {
  projectId: string | undefined;
  state: Query;
  mayCreate: boolean;
  mayDelete: boolean;
  onShow: (state: Query) => void;
}

const PATH = "/projects/{project_id}/views";

export function Views({ projectId, state, mayCreate, mayDelete, onShow }: Props) {
  const [isOpen, setOpen] = useState(false);
  const given = { project_id: projectId ?? "" };
  const list = useList(PATH, { ids: given }, { when: isOpen && projectId !== undefined });
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>();
  const id = useId();
  const act = async (run: () => Promise<unknown>) => {
    setError(undefined);
    try {
      await run();
      list.reload();
    } catch (reason) {
      setError(reason);
    }
  };
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const body = { name, state: viewOf(state) };
    void act(async () => {
      await api.post(PATH, { ids: given, body });
      setName("");
    });
  };
  const remove = (view: string) => act(() => api.delete(`${PATH}/{view_id}`, { ids: { ...given, view_id: view } }));
  const close = <Button onClick={() => setOpen(false)}>Close</Button>;
  return (
    <>
      <Button onClick={() => setOpen(true)}>Views</Button>
      <Dialog title="Saved views" open={isOpen} onClose={() => setOpen(false)}>
        {!list.data || list.data.length ? null : (
          <p class="note">None yet. A view keeps filter, order, columns and groups.</p>
        )}
        <ul class="chooser">
          {list.data?.map((view) => (
            <li key={view.id} class="view">
              <Button
                kind="plain"
                class="view-name"
                onClick={() => {
                  setOpen(false);
                  onShow(Object.fromEntries(VIEW_NAMES.map((each) => [each, viewOf(view.state)[each]])));
                }}
              >
                {view.name}
              </Button>
              {mayDelete ? (
                <Button kind="plain" aria-label={`Delete the view ${view.name}`} onClick={() => remove(view.id)}>
                  ×
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
        {error ? <ErrorBox error={error} /> : null}
        {mayCreate ? (
          <form class="form" id={id} onSubmit={save}>
            <Field
              label="Save the present view as"
              required
              maxLength={255}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <div class="form-actions">
              {close}
              <Button type="submit" kind="primary">
                Save
              </Button>
            </div>
          </form>
        ) : (
          <div class="form-actions">{close}</div>
        )}
      </Dialog>
    </>
  );
}
