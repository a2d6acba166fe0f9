/** What a version came from, and what has used it. */
import type { components } from "../api/operations.ts";
import { Link, Loading, Section } from "../components/basics.tsx";
import { Listed } from "../components/listed.tsx";
import { ResourceFile, RunLink } from "../components/references.tsx";
import { IterationStatus } from "../components/status.tsx";
import { Time } from "../components/time.tsx";
import { type Shown, useList } from "../state/use.ts";

type Schemas = components["schemas"];
type Version = Schemas["ModelVersion"];

export function Origin({ version }: { version: Version }) {
  return (
    <Section title="Came from">
      <dl class="facts">
        <dt>Iteration</dt>
        <dd>
          <RunLink version={version} />
        </dd>
        <dt>File</dt>
        <dd>{version.resource_id ? <ResourceFile id={version.resource_id} /> : <span class="note">none yet</span>}</dd>
        {version.source ? (
          <>
            <dt>Source</dt>
            <dd>
              <bdi>{version.source}</bdi>
            </dd>
          </>
        ) : null}
        <dt>Its inputs</dt>
        <dd>
          {version.iteration_id ? <Inputs iterationId={version.iteration_id} /> : <span class="note">unknown</span>}
        </dd>
      </dl>
    </Section>
  );
}

function Inputs({ iterationId }: { iterationId: string }) {
  const list = useList("/iterations/{iteration_id}/inputs", { ids: { iteration_id: iterationId } });
  if (!list.data) return list.error ? <span class="note">unknown: the iteration is gone</span> : <Loading />;
  if (!list.data.length) return <span class="note">none recorded</span>;
  return (
    <ul>
      {list.data.map((each) => (
        <li key={each.id}>
          <span class="note">{each.kind}</span> <InputName input={each} />{" "}
          {each.digest ? <code class="note">{each.digest.slice(0, 19)}</code> : null}
        </li>
      ))}
    </ul>
  );
}

/** The name of what an iteration has read; a link where that has a page here. */
export function InputName({ input }: { input: Schemas["Input"] }) {
  const name = <bdi>{input.name || input.source || input.id}</bdi>;
  if (input.modelversion_id) return <Link to={`/modelversions/${input.modelversion_id}`}>{name}</Link>;
  return input.resource_id ? <Link to={`/resources/${input.resource_id}`}>{name}</Link> : name;
}

export function Uses({ version }: { version: Version }) {
  const uses = useList("/modelversions/{version_id}/uses", { ids: { version_id: version.id } });
  return (
    <>
      <Section title="Used by" count={uses.data?.length}>
        <Iterations list={uses} none="No iteration has said that it read this version." />
      </Section>
      {version.resource_id ? <UsesOfFile resourceId={version.resource_id} /> : null}
    </>
  );
}

function UsesOfFile({ resourceId }: { resourceId: string }) {
  const uses = useList("/resources/{resource_id}/uses", { ids: { resource_id: resourceId } });
  if (!uses.data?.length) return null;
  return (
    <Section title="Uses of the file itself" count={uses.data.length}>
      <Iterations list={uses} none="" />
    </Section>
  );
}

/** Iterations that have read something. */
export function Iterations({ list, none }: { list: Shown<Schemas["Iteration"][]>; none: string }) {
  return (
    <Listed list={list} empty={<p class="note">{none}</p>}>
      {(rows) => (
        <ul class="running">
          {rows.map((each) => (
            <li key={each.id}>
              <IterationStatus id={each.status_id} />
              <Link to={`/iterations/${each.id}`}>{each.name}</Link>
              <span class="note">
                <Time at={each.created_date} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Listed>
  );
}
