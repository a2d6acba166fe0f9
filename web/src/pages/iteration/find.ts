/** Whether one of these texts has all words of the search, in any case. */
export function includes(search: string, ...texts: string[]): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => texts.some((text) => text.toLowerCase().includes(word)));
}

const ORDER = new Intl.Collator("en", { numeric: true });

/** "layer2" before "layer10". */
export function byKey(a: string, b: string): number {
  return ORDER.compare(a, b);
}
