/** What the iteration has read, what came of it, and the iterations around it. */
import type { ComponentChildren } from "preact";
import { STAGE } from "../../api/words.ts";
import { Empty, Link, Loading, Section } from "../../components/basics.tsx";
import { ErrorBox } from "../../components/error-box.tsx";
import { Table } from "../../components/listed.tsx";
import { IterationStatus, Stage } from "../../components/status.tsx";
import { Duration, Time } from "../../components/time.tsx";
import { InputName } from "../../models/lineage.tsx";
import { useGet, useList } from "../../state/use.ts";
import type { Iteration, PartProps, Schemas } from "./part.ts";

export default function Lineage({ iteration }: PartProps) {
  const ids = { iteration_id: iteration.id };
  const inputs = useList("/iterations/{iteration_id}/inputs", { ids });
  const versions = useList("/iterations/{iteration_id}/modelversions", { ids });
  const children = useList("/iterations/{iteration_id}/children", { ids });
  const failed = [inputs, versions, children].find((each) => each.error);
  if (failed) return <ErrorBox error={failed.error} retry={failed.reload} />;
  if (!inputs.data || !versions.data || !children.data) return <Loading />;
  const parent = iteration.parent_iteration_id;
  if (!inputs.data.length && !versions.data.length && !children.data.length && !parent) return <Nothing />;
  return (
    <>
      {parent ? (
        <Section title="Parent">
          <Parent id={parent} />
        </Section>
      ) : null}
      <Rows title="Inputs" rows={inputs.data} head={["Name", "Kind", "Context", "Source", "Digest"]}>
        {(each) => <InputRow key={each.id} input={each} />}
      </Rows>
      <Rows title="Model versions" rows={versions.data} head={["Version", "Stage", "Aliases", "Created"]}>
        {(each) => <VersionRow key={each.id} version={each} />}
      </Rows>
      <Rows title="Children" rows={children.data} head={["Name", "Status", "Started", "Duration"]}>
        {(each) => <IterationRow key={each.id} iteration={each} />}
      </Rows>
    </>
  );
}

function Nothing() {
  return (
    <Empty title="No lineage">
      Inputs appear here when the program records what it reads, model versions when it registers a model, and children
      when it starts iterations below this one.
    </Empty>
  );
}

function Rows<T>(props: {
  title: string;
  rows: readonly T[];
  head: string[];
  children: (row: T) => ComponentChildren;
}) {
  if (!props.rows.length) return null;
  return (
    <Section title={props.title} count={props.rows.length}>
      <Table label={props.title} head={props.head}>
        {props.rows.map(props.children)}
      </Table>
    </Section>
  );
}

function Parent({ id }: { id: string }) {
  const { data } = useGet("/iterations/{iteration_id}", { ids: { iteration_id: id } });
  return (
    <p>
      <Link to={`/iterations/${id}`}>{data?.name ?? id}</Link> {data ? <IterationStatus id={data.status_id} /> : null}
    </p>
  );
}

function InputRow({ input }: { input: Schemas["Input"] }) {
  return (
    <tr>
      <th scope="row">
        <span class="key" title={input.name}>
          <InputName input={input} />
        </span>
        {input.description ? <p class="note clamp">{input.description}</p> : null}
      </th>
      <td>{input.kind}</td>
      <td>{input.context}</td>
      <td class="clip" title={input.source}>
        {input.modelversion_id ? <VersionOf id={input.modelversion_id} /> : input.source}
      </td>
      <td class="clip" title={input.digest}>
        <code>{input.digest.slice(0, 24)}</code>
      </td>
    </tr>
  );
}

/** The version that was read, and the iteration that made it. */
function VersionOf({ id }: { id: string }) {
  const { data } = useGet("/modelversions/{version_id}", { ids: { version_id: id } });
  if (!data) return null;
  return (
    <>
      <Link to={`/modelversions/${id}`}>version {data.version}</Link> of{" "}
      <Link to={`/iterations/${data.iteration_id}`}>this iteration</Link>
    </>
  );
}

function VersionRow({ version }: { version: Schemas["ModelVersion"] }) {
  const { data } = useGet("/models/{model_id}", { ids: { model_id: version.model_id } });
  return (
    <tr>
      <th scope="row">
        <Link to={`/modelversions/${version.id}`}>
          {data?.name ?? "Model"} {version.version}
        </Link>
      </th>
      <td>{STAGE[version.stage_id] === "no stage" ? "–" : <Stage id={version.stage_id} />}</td>
      <td>
        {version.aliases?.map((each) => (
          <span class="tag" key={each}>
            {each}
          </span>
        ))}
      </td>
      <td>
        <Time at={version.created_date} />
      </td>
    </tr>
  );
}

function IterationRow({ iteration }: { iteration: Iteration }) {
  return (
    <tr>
      <th scope="row">
        <Link to={`/iterations/${iteration.id}`}>{iteration.name}</Link>
      </th>
      <td>
        <IterationStatus id={iteration.status_id} />
      </td>
      <td>
        <Time at={iteration.created_date} />
      </td>
      <td>
        <Duration from={iteration.created_date} to={iteration.end_date ?? null} />
      </td>
    </tr>
  );
}
