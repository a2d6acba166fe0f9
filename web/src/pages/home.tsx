/** The projects of a user, with what runs in them now. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError } from "../api/errors.ts";
import type { components } from "../api/operations.ts";
import { RUNNING } from "../api/words.ts";
import { Empty, Link, Loading, Section } from "../components/basics.tsx";
import { Snippet } from "../components/copy.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { IterationStatus } from "../components/status.tsx";
import { Duration, Time } from "../components/time.tsx";
import { api } from "../state/api.ts";
import { useHeading } from "../state/heading.ts";
import { useSeen } from "../state/seen.ts";
import { NEEDS_SIGN_IN } from "../state/session.ts";
import { type Shown, useList } from "../state/use.ts";
import { inUseFirst } from "./home-order.ts";
import { useExperimentNames } from "./parents.ts";
import { MOST_RUNNING, useRunning } from "./running.ts";

type Project = components["schemas"]["Project"];
type Activity = components["schemas"]["Activity"];
const SECONDS = 30;
const EVENTS = 15;
/** A project without activity was changed by hand: that is seen late. */
const SELDOM = 600;

export default function Home() {
  useHeading(undefined);
  const projects = useList("/projects", {}, { every: SELDOM });
  const activity = useList("/activity", { query: { limit: EVENTS } }, { every: SECONDS, most: EVENTS });
  useNewProjects(projects, activity.data);
  const shown = useInUseFirst(projects.data ?? [], activity.data);
  if (!projects.data) {
    return projects.error ? <ErrorBox error={projects.error} retry={projects.reload} /> : <Loading />;
  }
  if (projects.data.length === 0) return <FirstSteps />;
  // The activity decides the order: cards that move would be missed by a click.
  if (!activity.data && !activity.error) return <Loading />;
  return (
    <>
      <h1 class="visually-hidden">Home</h1>
      <Section title="Projects" count={shown.length}>
        <ul class="cards">
          {shown.map((each) => (
            <ProjectCard key={each.id} project={each} />
          ))}
        </ul>
      </Section>
      <RecentActivity activity={activity} />
    </>
  );
}

/** In which projects something runs, as far as their cards have read it. */
const inUse = signal<ReadonlySet<string>>(new Set());

function noteRunning(projectId: string, runs: boolean): void {
  if (inUse.peek().has(projectId) === runs) return;
  const next = new Set(inUse.peek());
  if (runs) next.add(projectId);
  else next.delete(projectId);
  inUse.value = next;
}

/** The cards stay where they are while one looks at those further down. */
function useInUseFirst(projects: readonly Project[], activity: readonly Activity[] | undefined): readonly Project[] {
  const before = useRef<readonly string[]>([]);
  const fresh = inUseFirst(projects, activity ?? [], inUse.value);
  const isSame =
    before.current.length === projects.length && projects.every((each) => before.current.includes(each.id));
  if (!isSame || window.scrollY === 0) before.current = fresh.map((each) => each.id);
  const places = new Map(before.current.map((id, at) => [id, at]));
  return fresh.toSorted((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0));
}

/** Read the projects again when the activity names one that is not among them. */
function useNewProjects({ data, reload }: Shown<Project[]>, activity: readonly Activity[] | undefined): void {
  const known = new Set(data?.map((each) => each.id));
  const unknown = activity?.find((each) => !known.has(each.project_id))?.project_id;
  useEffect(() => {
    if (data && unknown) reload();
  }, [data !== undefined, unknown]);
}

function RecentActivity({ activity }: { activity: Shown<Activity[]> }) {
  const experiments = useExperimentNames((activity.data ?? []).filter(isIteration).map(experimentOf));
  if (activity.error) return <ErrorBox error={activity.error} retry={activity.reload} />;
  if (!activity.data?.length) return null;
  return (
    <Section title="Activity">
      <ul class="results activity">
        {activity.data.map((each) => (
          <li key={`${each.id} ${each.event}`}>
            <span class="note">
              <Time at={each.date} />
            </span>
            <span class="note">{KINDS[each.kind] ?? each.kind}</span>
            <span class="named">
              <Link to={`/${each.kind}s/${each.id}`}>{each.name}</Link>
              {isIteration(each) && experiments.has(experimentOf(each)) ? (
                <span class="note">
                  {" in "}
                  <Link to={`/experiments/${experimentOf(each)}`}>{experiments.get(experimentOf(each))}</Link>
                </span>
              ) : null}
            </span>
            <span class={each.event === "failed" ? "bad" : "note"}>{each.event}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function isIteration(each: Activity): boolean {
  return each.kind === "iteration" && Boolean(each.experiment_id);
}

function experimentOf(each: Activity): string {
  return each.experiment_id ?? "";
}

const KINDS: Record<string, string> = {
  project: "Project",
  experiment: "Experiment",
  iteration: "Iteration",
  model: "Model",
  modelversion: "Version",
};

/** What runs is read for the cards on the screen only: a user may have hundreds of projects. */
function ProjectCard({ project }: { project: Project }) {
  const card = useRef<HTMLLIElement>(null);
  const seen = useSeen(card);
  return (
    <li class="card" ref={card}>
      <h3>
        <Link to={`/projects/${project.id}`}>{project.name}</Link>
      </h3>
      {project.description ? <p class="note clamp">{project.description}</p> : null}
      {seen ? <Running project={project} /> : <p class="note">…</p>}
    </li>
  );
}

function Running({ project }: { project: Project }) {
  const running = useRunning(project.id);
  const runs = running.data && running.data.length > 0;
  useEffect(() => {
    if (runs !== undefined) noteRunning(project.id, runs);
  }, [project.id, runs]);
  if (running.error instanceof ApiError && running.error.field === "order_by")
    return <p class="note">It has too many experiments to list what runs.</p>;
  if (running.error) return <ErrorBox error={running.error} />;
  if (!running.data) return <Loading />;
  if (!running.data.length) {
    return (
      <p class="note">
        Nothing is running. Created <Time at={project.created_date} />.
      </p>
    );
  }
  return (
    <ul class="running">
      {running.data.map((each) => (
        <li key={each.id}>
          <IterationStatus id={RUNNING} />
          <Link to={`/iterations/${each.id}`}>{each.name}</Link>
          <span class="note">
            <Duration from={each.created_date} />
          </span>
        </li>
      ))}
      {running.data.length === MOST_RUNNING ? <li class="note">and perhaps more</li> : null}
    </ul>
  );
}

// Where the client looks by itself.
const DEFAULT_SITE = "http://127.0.0.1:9000";

/** How to log the first iteration, with this server's URL filled in. */
function FirstSteps() {
  return (
    <Empty title="No projects yet">
      <p>
        Log your first iteration: this page shows it within half a minute. Its project and experiment are created with
        it.
      </p>
      <Snippet label="In a shell, once" text={install()} />
      <Snippet label="In Python" text={FIRST} />
      {NEEDS_SIGN_IN ? <Snippet label="On machines without a keyboard: a token" text={TOKEN} /> : null}
    </Empty>
  );
}

function install(): string {
  if (NEEDS_SIGN_IN) return `pip install deardiary\ndeardiary login ${api.site}`;
  return `pip install deardiary${api.site === DEFAULT_SITE ? "" : `\nexport DEARDIARY_URL=${api.site}`}`;
}

const TOKEN = `# here, after the login: shows the token once
deardiary tokens create my-job --expires-in-days 90

# there
export DEARDIARY_URL=${api.site}
export DEARDIARY_TOKEN=…`;

const FIRST = `import deardiary

with deardiary.start("My project", "first try", parameters={"lr": 0.001}) as iteration:
    for epoch in range(10):
        iteration.log({"loss": 1 / (epoch + 1)})`;
