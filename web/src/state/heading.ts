/** The title and the breadcrumb of the present page. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

export interface Crumb {
  label: string;
  to: string;
}

export interface Heading {
  title: string;
  /** The pages above this one, from the top. */
  crumbs: readonly Crumb[];
}

export const heading = signal<Heading>({ title: "", crumbs: [] });

/** Say what this page is. A title of undefined is not known yet. */
export function useHeading(title: string | undefined, crumbs: readonly (Crumb | undefined)[] = []): void {
  const known = crumbs.filter((each) => each !== undefined);
  const key = JSON.stringify([title, known]);
  useEffect(() => {
    heading.value = { title: title ?? "", crumbs: known };
    document.title = title ? `${title} · DearDiary` : "DearDiary";
  }, [key]);
}
