/** The charts for pages. Their code is fetched when a page shows them first. */
import { lazy } from "../components/lazy.tsx";

const GivenCharts = lazy<{ ids: readonly string[] }>(() => import("./given-charts.tsx"));

/** `<IterationCharts iterationId />` */
export function IterationCharts({ iterationId }: { iterationId: string }) {
  return <GivenCharts ids={[iterationId]} />;
}

/** `<CompareCharts ids />`: iterations of any experiments in the same charts. */
export function CompareCharts({ ids }: { ids: readonly string[] }) {
  return <GivenCharts ids={ids} />;
}
