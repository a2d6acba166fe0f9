/** A new version of a model: the iteration that made it, and its file. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { ITERATION_STATUS } from "../api/words.ts";
import { Choice, type Option } from "../components/choice.tsx";
import { Confirm } from "../components/confirm.tsx";
import { DialogButton } from "../components/dialog-button.tsx";
import { Field } from "../components/field.tsx";
import { formatTime } from "../components/format.ts";
import { api } from "../state/api.ts";
import { useList } from "../state/use.ts";
import { readAgain } from "./read-again.ts";

type Schemas = components["schemas"];
type Model = Schemas["Model"];

/** The newest iterations are offered; others are registered by their program. */
const OFFERED = 200;

export function CreateVersion({ model }: { model: Model }) {
  return <DialogButton label="Add a version">{(close) => <CreateDialog model={model} onClose={close} />}</DialogButton>;
}

function CreateDialog({ model, onClose }: { model: Model; onClose: () => void }) {
  const [experimentId, setExperimentId] = useState("");
  const [iterationId, setIterationId] = useState("");
  const [resourceId, setResourceId] = useState("");
  const [description, setDescription] = useState("");
  // The same click, sent twice, is one version.
  const key = useRef(crypto.randomUUID());
  const experiments = useList("/projects/{project_id}/experiments", { ids: { project_id: model.project_id } });
  const create = async () => {
    const body = { iteration_id: iterationId, resource_id: resourceId || null, description, id_key: key.current };
    await api.post("/models/{model_id}/versions", { ids: { model_id: model.id }, body });
    readAgain(model.id);
  };
  return (
    <Confirm title="Add a version" action="Add" disabled={!iterationId} act={create} onClose={onClose}>
      <Choice
        label="Experiment"
        value={experimentId}
        options={[["", "Choose one"], ...(experiments.data ?? []).toReversed().map(optionOf)]}
        onChoose={(id) => {
          setExperimentId(id);
          setIterationId("");
          setResourceId("");
        }}
      />
      {experimentId ? (
        <Iterations
          key={experimentId}
          experimentId={experimentId}
          value={iterationId}
          onChoose={(id) => {
            setIterationId(id);
            setResourceId("");
          }}
        />
      ) : null}
      {iterationId ? (
        <Files
          key={iterationId}
          experimentId={experimentId}
          iterationId={iterationId}
          value={resourceId}
          onChoose={setResourceId}
        />
      ) : null}
      <Field label="Description" value={description} onText={setDescription} autocomplete="off" />
    </Confirm>
  );
}

interface ChoiceProps {
  experimentId: string;
  value: string;
  onChoose: (id: string) => void;
}

function Iterations({ experimentId, ...choice }: ChoiceProps) {
  const query = { order_by: "created_date desc" };
  const given = { ids: { experiment_id: experimentId }, query };
  const { data } = useList("/experiments/{experiment_id}/iterations", given, { most: OFFERED });
  const options = (data ?? []).map(describedOption);
  return <Choice label="Iteration" options={[["", data ? "Choose one" : "…"], ...options]} {...choice} />;
}

function Files({ experimentId, iterationId, ...choice }: ChoiceProps & { iterationId: string }) {
  const given = { ids: { experiment_id: experimentId }, query: { iteration_id: iterationId } };
  const { data, loading } = useList("/experiments/{experiment_id}/resources", given);
  const only = !loading && data?.length === 1 ? data[0]?.id : undefined;
  useEffect(() => {
    if (only) choice.onChoose(only);
  }, [only]);
  return <Choice label="File" options={[["", data ? "None" : "…"], ...(data ?? []).map(optionOf)]} {...choice} />;
}

function optionOf({ id, name }: { id: string; name?: string | null }): Option {
  return [id, name || id];
}

/** Names of iterations are made up: the status and the date tell them apart. */
function describedOption({ id, name, status_id, created_date }: Schemas["Iteration"]): Option {
  return [id, `${name || id} · ${ITERATION_STATUS[status_id]} · ${formatTime(new Date(created_date))}`];
}
