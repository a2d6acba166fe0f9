/** The keyboard between the search box and its results. */

const BOX = ".search input";
const RESULTS = ".found a";

export function resultLinks(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(RESULTS)];
}

/** The arrow keys move between the results; up from the first leads back to the box. */
export function moveByArrow(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const links = resultLinks();
  const at = links.indexOf(document.activeElement as HTMLElement) + step;
  const next = at < 0 ? document.querySelector<HTMLElement>(BOX) : links[at];
  next?.focus();
}
