/** A new model of a project. */
import { useState } from "preact/hooks";
import { Button } from "../components/basics.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Field } from "../components/field.tsx";
import { api } from "../state/api.ts";
import { go } from "../state/route.ts";
import { cache } from "../state/use.ts";

export function CreateModel({ projectId }: { projectId: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>Create a model</Button>
      {open ? <CreateDialog projectId={projectId} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function CreateDialog({ projectId, onClose }: { projectId: string; onClose: () => void }) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const create = async () => {
    const ids = { project_id: projectId };
    const model = await api.post("/projects/{project_id}/models", { ids, body: { name, description } });
    cache.invalidate(`/projects/${projectId}/models`);
    go(`/models/${model.id}`);
  };
  return (
    <Confirm title="Create a model" action="Create" disabled={!name.trim()} act={create} onClose={onClose}>
      <Field
        label="Name"
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
        maxLength={255}
        autocomplete="off"
        autofocus
        required
      />
      <Field
        label="Description"
        value={description}
        onInput={(event) => setDescription(event.currentTarget.value)}
        autocomplete="off"
      />
    </Confirm>
  );
}
