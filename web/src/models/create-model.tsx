/** A new model of a project. */
import { useState } from "preact/hooks";
import { Confirm } from "../components/confirm.tsx";
import { DialogButton } from "../components/dialog-button.tsx";
import { Field } from "../components/field.tsx";
import { api } from "../state/api.ts";
import { go } from "../state/route.ts";
import { cache } from "../state/use.ts";

export function CreateModel({ projectId }: { projectId: string }) {
  return (
    <DialogButton label="Create a model">
      {(close) => <CreateDialog projectId={projectId} onClose={close} />}
    </DialogButton>
  );
}

export async function createModel(projectId: string, name: string, description = ""): Promise<string> {
  const ids = { project_id: projectId };
  const model = await api.post("/projects/{project_id}/models", { ids, body: { name, description } });
  cache.invalidate(`/projects/${projectId}/models`);
  return model.id;
}

function CreateDialog({ projectId, onClose }: { projectId: string; onClose: () => void }) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const create = async () => go(`/models/${await createModel(projectId, name, description)}`);
  return (
    <Confirm title="Create a model" action="Create" disabled={!name.trim()} act={create} onClose={onClose}>
      <Field label="Name" value={name} onText={setName} maxLength={255} autocomplete="off" autofocus required />
      <Field label="Description" value={description} onText={setDescription} autocomplete="off" />
    </Confirm>
  );
}
