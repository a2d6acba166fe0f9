/** What runs in a project. Home and the page of the project ask the same, so one answer serves both. */

import type { Row } from "../api/operations.ts";
import { type Shown, useList } from "../state/use.ts";

const SECONDS = 30;
/** More are not read. */
export const MOST_RUNNING = 10;

export function useRunning(projectId: string): Shown<Row<"/projects/{project_id}/iterations">[]> {
  const query = { filter: 'status = "RUNNING"', order_by: "created_date desc", limit: MOST_RUNNING };
  const given = { ids: { project_id: projectId }, query };
  return useList("/projects/{project_id}/iterations", given, { every: SECONDS, most: MOST_RUNNING });
}
