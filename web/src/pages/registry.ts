/** All pages. To add one, write `pages/NAME.tsx` and add its line here; web/README.md has an example. */
import type { ComponentType } from "preact";
import type { Ids } from "../state/location.ts";

export interface PageProps {
  /** The ids in the path: `{ projectId }` for `/projects/:projectId`. */
  ids: Ids;
}

export interface Page {
  pattern: string;
  /** The module is fetched when somebody opens the page. */
  /** Readers of a share see it too. */
  isShared?: boolean;
  load: () => Promise<{ default: ComponentType<PageProps> }>;
}

export const PAGES: readonly Page[] = [
  { pattern: "/", load: () => import("./home.tsx") },
  { pattern: "/projects/:projectId", load: () => import("./project.tsx") },
  { pattern: "/search", load: () => import("./search.tsx") },
  { pattern: "/experiments/:experimentId", isShared: true, load: () => import("./experiment.tsx") },
  { pattern: "/experiments/:experimentId/charts", isShared: true, load: () => import("./experiment-charts.tsx") },
  { pattern: "/compare", isShared: true, load: () => import("./compare.tsx") },
  { pattern: "/models/:modelId", load: () => import("./model.tsx") },
  { pattern: "/modelversions/:versionId", load: () => import("./modelversion.tsx") },
  { pattern: "/resources/:resourceId", isShared: true, load: () => import("./resource.tsx") },
  { pattern: "/iterations/:iterationId", isShared: true, load: () => import("./iteration.tsx") },
  { pattern: "/projects/:projectId/members", load: () => import("./members.tsx") },
  { pattern: "/account", load: () => import("./account.tsx") },
  { pattern: "/users", load: () => import("./users.tsx") },
  { pattern: "/trash", load: () => import("./trash.tsx") },
  { pattern: "/projects/:projectId/trash", load: () => import("./project-trash.tsx") },
];
