/** Metrics in sections: the part of a key before its first slash. */
import { isOfMachine } from "../components/metric-keys.ts";

export interface MetricSection {
  /** "" for the keys without a slash. */
  prefix: string;
  keys: string[];
}

export function sectionsOf(keys: readonly string[]): MetricSection[] {
  const found = new Map<string, string[]>();
  for (const key of [...keys].sort(inNaturalOrder)) {
    const slash = key.indexOf("/");
    const prefix = slash > 0 ? key.slice(0, slash) : "";
    const own = found.get(prefix);
    if (own) own.push(key);
    else found.set(prefix, [key]);
  }
  return [...found].map(([prefix, own]) => ({ prefix, keys: own })).sort(inOrderOfInterest);
}

function inOrderOfInterest(a: MetricSection, b: MetricSection): number {
  return Number(isMachine(a)) - Number(isMachine(b)) || inNaturalOrder(a.prefix, b.prefix);
}

function isMachine({ keys: [first = ""] }: MetricSection): boolean {
  return isOfMachine(first);
}

const collator = new Intl.Collator("en", { numeric: true });

/** layer2 before layer10. */
export function inNaturalOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

export interface Search {
  keys: string[];
  /** Why the expression is none. */
  error?: string;
}

/** The keys that a regular expression finds, in any case. */
export function searchKeys(keys: readonly string[], expression: string): Search {
  if (!expression) return { keys: [...keys] };
  try {
    const pattern = new RegExp(expression, "iu");
    return { keys: keys.filter((key) => pattern.test(key)) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*\/[a-z]*: /, "") : "";
    return { keys: [], error: `Not a regular expression: ${reason}` };
  }
}
