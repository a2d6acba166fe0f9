/** The parts of the page as links: the URL names the one shown, and its code is fetched when it is opened first. */
import { useEffect, useRef } from "preact/hooks";
import { IterationCharts } from "../../charts/index.tsx";
import { lazy } from "../../components/lazy.tsx";
import { hashOf } from "../../state/location.ts";
import { location } from "../../state/route.ts";
import { SECRET } from "../../state/share.ts";
import type { PartProps } from "./part.ts";

const PARTS = [
  { name: "overview", label: "Overview", Part: lazy<PartProps>(() => import("./overview.tsx")) },
  {
    name: "charts",
    label: "Charts",
    Part: ({ iteration }: PartProps) => <IterationCharts iterationId={iteration.id} />,
  },
  { name: "media", label: "Media", Part: lazy<PartProps>(() => import("./media.tsx")) },
  { name: "console", label: "Console", Part: lazy<PartProps>(() => import("./console.tsx")) },
  { name: "files", label: "Files", Part: lazy<PartProps>(() => import("./files.tsx")) },
  { name: "environment", label: "Environment", Part: lazy<PartProps>(() => import("./environment.tsx")) },
  { name: "lineage", label: "Lineage", Part: lazy<PartProps>(() => import("./lineage.tsx")) },
] as const;
const FIRST = PARTS[0];
// A share shows neither what the program prints nor the code that it runs.
const SHOWN = SECRET ? PARTS.filter(({ name }) => ["overview", "charts", "media", "files"].includes(name)) : PARTS;

export function Tabs(props: PartProps) {
  const { path, query } = location.value;
  const shown = SHOWN.find((each) => each.name === query.tab) ?? FIRST;
  const present = useRef<HTMLAnchorElement>(null);
  useEffect(() => intoSight(present.current), [shown.name]);
  return (
    <>
      <nav class="tabs" aria-label="Parts of the iteration">
        {SHOWN.map(({ name, label }) => (
          <a
            key={name}
            ref={name === shown.name ? present : null}
            href={hashOf(path, { ...query, tab: name === FIRST.name ? undefined : name })}
            data-label={label}
            aria-current={name === shown.name ? "page" : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      <shown.Part key={shown.name} {...props} />
    </>
  );
}

/** A narrow screen has no room for all tabs. Only their line is scrolled, not the page. */
function intoSight(tab: HTMLElement | null): void {
  const tabs = tab?.parentElement;
  if (!tab || !tabs) return;
  const left = tab.offsetLeft - tabs.offsetLeft;
  tabs.scrollLeft = Math.max(left + tab.offsetWidth - tabs.clientWidth, Math.min(tabs.scrollLeft, left));
}
