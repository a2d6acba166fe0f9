/** What the pointer or the keyboard is at, in all charts of a page. */
import { signal } from "@preact/signals";

/** The x, and the chart that the pointer is in. */
export const hovered = signal<{ x: number; chart: string; byKey?: boolean } | undefined>(undefined);

/** The iteration that is lit. */
export const lit = signal<string | undefined>(undefined);

export function light(id: string | undefined): void {
  if (lit.peek() !== id) lit.value = id;
}
