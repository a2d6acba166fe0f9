/** Registers a file of an iteration as the next version of a model, which may be a new one. */
import { useRef, useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { Choice, type Option } from "../components/choice.tsx";
import { Confirm } from "../components/confirm.tsx";
import { DialogButton } from "../components/dialog-button.tsx";
import { Field } from "../components/field.tsx";
import { api } from "../state/api.ts";
import { go } from "../state/route.ts";
import { useList } from "../state/use.ts";
import { createModel } from "./create-model.tsx";
import { readAgain } from "./read-again.ts";

interface Props {
  file: components["schemas"]["Resource"];
  iterationId: string;
  projectId: string;
}

const NEW = "";

export function RegisterFile(props: Props) {
  return (
    <DialogButton label="Register as a model version">
      {(close) => <RegisterDialog {...props} onClose={close} />}
    </DialogButton>
  );
}

function RegisterDialog({ file, iterationId, projectId, onClose }: Props & { onClose: () => void }) {
  const models = useList("/projects/{project_id}/models", { ids: { project_id: projectId } });
  const [chosen, setChosen] = useState<string>();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  // The same click, sent twice, is one version; after a failure the model that was created is not created again.
  const key = useRef(crypto.randomUUID());
  const created = useRef<{ name: string; id: string }>(undefined);
  const modelId = chosen ?? models.data?.[0]?.id ?? NEW;
  const idOfNew = async () => {
    if (created.current?.name !== name) created.current = { name, id: await createModel(projectId, name) };
    return created.current.id;
  };
  const register = async () => {
    const model = modelId || (await idOfNew());
    const body = { iteration_id: iterationId, resource_id: file.id, description, id_key: key.current };
    const version = await api.post("/models/{model_id}/versions", { ids: { model_id: model }, body });
    readAgain(model);
    go(`/modelversions/${version.id}`);
  };
  const options = (models.data ?? []).map((each): Option => [each.id, each.name]);
  const isReady = !!models.data && (modelId !== NEW || !!name.trim());
  return (
    <Confirm title="Register as a model version" action="Register" disabled={!isReady} act={register} onClose={onClose}>
      <p>
        <bdi class="clamp strong">{file.name}</bdi> becomes the next version of a model.
      </p>
      <Choice label="Model" value={modelId} options={[...options, [NEW, "A new model"]]} onChoose={setChosen} />
      {modelId === NEW ? (
        <Field label="Name of the model" value={name} onText={setName} maxLength={255} autocomplete="off" required />
      ) : null}
      <Field label="Description of the version" value={description} onText={setDescription} autocomplete="off" />
    </Confirm>
  );
}
