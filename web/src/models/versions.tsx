/** The versions of a model, the newest first. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { Button, Link } from "../components/basics.tsx";
import { Table } from "../components/listed.tsx";
import { ResourceFile, RunLink } from "../components/references.tsx";
import { Stage } from "../components/status.tsx";
import { Time } from "../components/time.tsx";
import type { Rights } from "../state/rights.ts";
import { AliasDialog, RemoveAliasDialog } from "./alias-dialog.tsx";
import { StageDialog } from "./stage-dialog.tsx";

type Schemas = components["schemas"];
type Version = Schemas["ModelVersion"];

interface Props {
  model: Schemas["Model"];
  rights: Rights;
}

// A model of a nightly job has thousands.
const FIRST = 100;

export function Versions({ model, versions, rights }: Props & { versions: readonly Version[] }) {
  const [most, setMost] = useState(FIRST);
  const newest = versions.toReversed();
  return (
    <>
      <Table
        label="Versions"
        class="versions stacked"
        head={["Version", "Stage", "Aliases", "From", "File", { number: "Created" }]}
      >
        {newest.slice(0, most).map((each) => (
          <VersionRow key={each.id} model={model} version={each} rights={rights} />
        ))}
      </Table>
      {newest.length > most ? (
        <Button onClick={() => setMost(most + FIRST)}>Show more of {newest.length.toLocaleString()}</Button>
      ) : null}
    </>
  );
}

function VersionRow({ model, version, rights }: Props & { version: Version }) {
  return (
    <tr>
      <th scope="row">
        <Link to={`/modelversions/${version.id}`}>{version.version}</Link>
        {version.description ? <p class="note clamp">{version.description}</p> : null}
      </th>
      <td>
        <StageControl version={version} rights={rights} />
      </td>
      <td>
        <Aliases model={model} version={version} rights={rights} />
      </td>
      <td>
        <RunLink version={version} />
      </td>
      <td>
        {version.resource_id ? (
          <ResourceFile id={version.resource_id} />
        ) : (
          <bdi class="note clamp">{version.source || "none"}</bdi>
        )}
      </td>
      <td class="number">
        <Time at={version.created_date} />
      </td>
    </tr>
  );
}

export function StageControl({ version, rights }: { version: Version; rights: Rights }) {
  const [open, setOpen] = useState(false);
  return (
    <span class="control">
      <Stage id={version.stage_id} />
      {rights.update ? (
        <Button
          kind="plain"
          aria-label={`Change the stage of version ${version.version}`}
          onClick={() => setOpen(true)}
        >
          Change
        </Button>
      ) : null}
      {open ? <StageDialog version={version} onClose={() => setOpen(false)} /> : null}
    </span>
  );
}

export function Aliases({ model, version, rights }: Props & { version: Version }) {
  const [adds, setAdds] = useState(false);
  const [removed, setRemoved] = useState<string>();
  return (
    <span class="control">
      {version.aliases?.map((alias) => (
        <span class="tag" key={alias}>
          <bdi>{alias}</bdi>
          {rights.delete ? (
            <Button kind="plain" aria-label={`Remove the alias ${alias}`} onClick={() => setRemoved(alias)}>
              ×
            </Button>
          ) : null}
        </span>
      ))}
      {rights.update ? (
        <Button
          kind="plain"
          aria-label={`Add or move an alias to version ${version.version}`}
          onClick={() => setAdds(true)}
        >
          + Alias
        </Button>
      ) : null}
      {adds ? <AliasDialog model={model} version={version} onClose={() => setAdds(false)} /> : null}
      {removed !== undefined ? (
        <RemoveAliasDialog model={model} version={version} alias={removed} onClose={() => setRemoved(undefined)} />
      ) : null}
    </span>
  );
}
