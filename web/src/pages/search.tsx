/** What the search box finds: names and tags in all projects, and the beginnings of ids. */
import type { components } from "../api/operations.ts";
import { Empty, Link, Loading, Section } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { useHeading } from "../state/heading.ts";
import { location } from "../state/route.ts";
import { useList } from "../state/use.ts";

type Result = components["schemas"]["SearchResult"];
const MOST = 200;

export default function SearchPage() {
  const q = location.value.query.q ?? "";
  useHeading("Search");
  return (
    <>
      <h1 class="visually-hidden">Search</h1>
      {q ? <Results key={q} q={q} /> : <Empty title="Type what you look for in the box above" />}
    </>
  );
}

function Results({ q }: { q: string }) {
  const found = useList("/search", { query: { q } }, { most: MOST });
  if (!found.data) return found.error ? <ErrorBox error={found.error} /> : <Loading />;
  if (!found.data.length && !found.loading) {
    return (
      <Empty title={`Nothing is named like “${q}”`}>
        <p>
          The search finds parts of the names and tags of projects, experiments and models, and anything by the first
          six characters of its id.
        </p>
      </Empty>
    );
  }
  return (
    <Section title="Results" count={found.data.length}>
      <ul class="results">
        {found.data.map((each) => (
          <li key={each.id}>
            <span class="note">{KINDS[each.kind] ?? each.kind}</span>
            <Link to={pathOf(each)}>{each.name || each.id}</Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}

const KINDS: Record<string, string> = { resource: "file", modelversion: "version" };

function pathOf(result: Result): string {
  return `/${result.kind}s/${result.id}`;
}
