/** Where this page is: the pages above it, as links, and its title. */
import type { ComponentChildren } from "preact";
import { heading } from "../state/heading.ts";

export function Breadcrumb({ link }: { link: (to: string, label: string) => ComponentChildren }) {
  const { title, crumbs } = heading.value;
  return (
    <nav class="breadcrumb" aria-label="Breadcrumb">
      <ol>
        {crumbs.map((each) => (
          <li key={each.to}>{link(each.to, each.label)}</li>
        ))}
        {title ? <li aria-current="page">{title}</li> : null}
      </ol>
    </nav>
  );
}
