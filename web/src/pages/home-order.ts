/** Which projects come first on the home page. */

interface Named {
  id: string;
  created_date: string;
}

interface Event {
  project_id: string;
  date: string;
}

/** Projects in which something runs, then by the newest event in each; without one, by creation. */
export function inUseFirst<P extends Named>(
  projects: readonly P[],
  activity: readonly Event[],
  running: ReadonlySet<string>,
): P[] {
  const newest = new Map(projects.map((each) => [each.id, Date.parse(each.created_date)]));
  for (const { project_id, date } of activity)
    newest.set(project_id, Math.max(newest.get(project_id) ?? 0, Date.parse(date)));
  const ranks = (each: P) => [Number(running.has(each.id)), newest.get(each.id) ?? 0] as const;
  return projects.toReversed().sort((a, b) => {
    const [[runsA, atA], [runsB, atB]] = [ranks(a), ranks(b)];
    return runsB - runsA || atB - atA;
  });
}
