/** Aliases of a version: one that names another version moves here. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { Confirm } from "../components/confirm.tsx";
import { Field } from "../components/field.tsx";
import { api } from "../state/api.ts";
import { readAgain } from "./read-again.ts";

type Schemas = components["schemas"];

interface Props {
  model: Schemas["Model"];
  version: Schemas["ModelVersion"];
  onClose: () => void;
}

export function AliasDialog({ model, version, onClose }: Props) {
  const [alias, setAlias] = useState("");
  const aliases = model.aliases ?? {};
  const present = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
  const set = async () => {
    const body = { version: version.version };
    await api.put("/models/{model_id}/aliases/{alias}", { ids: { model_id: model.id, alias }, body });
    readAgain(model.id);
  };
  const moves = present !== undefined && present !== version.version;
  return (
    <Confirm
      title={`Alias for version ${version.version}`}
      action={moves ? "Move the alias" : "Add the alias"}
      disabled={!alias || present === version.version}
      act={set}
      onClose={onClose}
    >
      <Field
        label="Alias"
        name="alias"
        value={alias}
        onInput={(event) => setAlias(event.currentTarget.value)}
        list="aliases"
        placeholder="champion"
        maxLength={255}
        autocomplete="off"
        autofocus
        required
      />
      <datalist id="aliases">
        {Object.keys(aliases).map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <div aria-live="polite">
        {moves ? (
          <p>
            <bdi>{alias}</bdi> names <strong>version {present}</strong> now. It moves to version {version.version}.
          </p>
        ) : null}
        {present === version.version ? <p>It names this version already.</p> : null}
      </div>
    </Confirm>
  );
}

export function RemoveAliasDialog({ model, version, alias, onClose }: Props & { alias: string }) {
  const remove = async () => {
    await api.delete("/models/{model_id}/aliases/{alias}", { ids: { model_id: model.id, alias } });
    readAgain(model.id);
  };
  return (
    <Confirm title="Remove an alias" action="Remove" danger act={remove} onClose={onClose}>
      <p>
        <bdi>{alias}</bdi> then names no version. Version {version.version} stays.
      </p>
    </Confirm>
  );
}
