/** What the search box finds: names and tags in all projects, and the beginnings of ids. */
import type { components } from "../api/operations.ts";
import { Empty, Link, Loading, Section } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { useHeading } from "../state/heading.ts";
import { location } from "../state/route.ts";
import { moveByArrow } from "../state/search-keys.ts";
import { useList } from "../state/use.ts";
import { useExperimentNames } from "./parents.ts";

type Result = components["schemas"]["SearchResult"];
const MOST = 200;
/** Each is a request. */
const MOST_NAMES = 20;
const BOUND =
  "It finds names of iterations from three characters on, in the newest 200 iterations of the newest 10 experiments of " +
  "each project. An experiment's table finds all of its iterations by name.";

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
  const nameOf = useNames(found.data ?? []);
  if (!found.data) return found.error ? <ErrorBox error={found.error} /> : <Loading />;
  if (!found.data.length && !found.loading) {
    return (
      <Empty title={`Nothing is named like “${q}”`}>
        <p>
          The search finds parts of the names and tags of projects, experiments and models, and everything by its id:
          the whole id, or at least its first ten characters.
        </p>
        <p>{BOUND}</p>
      </Empty>
    );
  }
  return (
    <Section title="Results" count={found.data.length}>
      <ul class="results found" onKeyDown={moveByArrow}>
        {found.data
          .toSorted((a, b) => rank(a) - rank(b))
          .map((each) => (
            <li key={each.id}>
              <span class="note">{KINDS[each.kind] ?? each.kind}</span>
              <Link to={pathOf(each)}>{each.name || each.id}</Link>
              <bdi class="note above">{nameOf(each)}</bdi>
            </li>
          ))}
      </ul>
      <p class="note">{BOUND}</p>
    </Section>
  );
}

/** Where a result is: its project, and the experiment of an iteration or a file. */
function useNames(found: readonly Result[]): (result: Result) => string {
  const projects = useList("/projects", {}).data;
  const below = (each: Result) => each.kind !== "experiment" && each.experiment_id;
  const ids = new Set(found.map(below).filter((id) => typeof id === "string"));
  const experiments = useExperimentNames([...ids].slice(0, MOST_NAMES));
  return (each) => {
    const project = each.kind !== "project" && projects?.find(({ id }) => id === each.project_id)?.name;
    const experiment = below(each) && experiments.get(each.experiment_id ?? "");
    return [project, experiment].filter(Boolean).join(" / ");
  };
}

/** Many iterations may have the same words in their names as their experiment. */
function rank({ kind }: Result): number {
  return kind === "iteration" || kind === "resource" ? 1 : 0;
}

const KINDS: Record<string, string> = { resource: "file", modelversion: "version" };

function pathOf(result: Result): string {
  return `/${result.kind}s/${result.id}`;
}
