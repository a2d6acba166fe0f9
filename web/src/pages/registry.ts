/** All pages. To add one, write `pages/NAME.tsx` and add its line here; web/README.md has an example. */
import type { ComponentType } from "preact";
import { asksOfCharts, asksOfHome, asksOfIteration, asksOfProject, asksOfTable } from "../start/asks.ts";
import type { Ids } from "../state/location.ts";

export interface PageProps {
  /** The ids in the path: `{ projectId }` for `/projects/:projectId`. */
  ids: Ids;
}

export interface Page {
  pattern: string;
  /** Readers of a share see it too. */
  isShared?: boolean;
  /** The paths that the page reads first. They are read before its code is here. */
  asks?: (ids: Ids, query: Readonly<Record<string, string>>) => readonly string[];
  /** The module is fetched when somebody opens the page. */
  load: () => Promise<{ default: ComponentType<PageProps> }>;
}

export const PAGES: readonly Page[] = [
  { pattern: "/", asks: asksOfHome, load: () => import("./home.tsx") },
  { pattern: "/projects/:projectId", asks: asksOfProject, load: () => import("./project.tsx") },
  { pattern: "/search", load: () => import("./search.tsx") },
  { pattern: "/experiments/:experimentId", isShared: true, asks: asksOfTable, load: () => import("./experiment.tsx") },
  {
    pattern: "/experiments/:experimentId/charts",
    isShared: true,
    asks: asksOfCharts,
    load: () => import("./experiment-charts.tsx"),
  },
  { pattern: "/compare", isShared: true, load: () => import("./compare.tsx") },
  { pattern: "/models/:modelId", load: () => import("./model.tsx") },
  { pattern: "/modelversions/:versionId", load: () => import("./modelversion.tsx") },
  { pattern: "/resources/:resourceId", isShared: true, load: () => import("./resource.tsx") },
  { pattern: "/iterations/:iterationId", isShared: true, asks: asksOfIteration, load: () => import("./iteration.tsx") },
  { pattern: "/projects/:projectId/members", load: () => import("./members.tsx") },
  { pattern: "/account", load: () => import("./account.tsx") },
  { pattern: "/users", load: () => import("./users.tsx") },
  { pattern: "/trash", load: () => import("./trash.tsx") },
  { pattern: "/projects/:projectId/trash", load: () => import("./project-trash.tsx") },
];
