/** The state of the table, as the URL and a saved view keep it: texts by name, each absent by default. */

export type Query = Readonly<Record<string, string | undefined>>;

/** What a saved view holds, and a preference of a user for each experiment. */
export const VIEW_NAMES = [
  "filter",
  "sort",
  "columns",
  "pinned",
  "widths",
  "differs",
  "group",
  "tree",
  "baseline",
  "top",
] as const;
/** What is kept for the next visit. */
export const KEPT_NAMES = ["columns", "pinned", "widths"] as const;

/** The preference with these for each experiment. */
export const PREFERENCE = "tables";
export type Kept = Record<string, Record<string, string>>;

/** The state in the URL; what the user prefers for this experiment where the URL does not say. */
export function stateOf(query: Query, preferences: Readonly<Record<string, unknown>>, experimentId: string): Query {
  const kept = (preferences[PREFERENCE] as Kept | undefined)?.[experimentId];
  const isGiven = KEPT_NAMES.some((name) => query[name] !== undefined);
  return isGiven || !kept ? query : { ...kept, ...query };
}

/** A list in one text. Ids may hold any character. */
export function joined(ids: readonly string[]): string {
  return ids.map((id) => id.replace(/[\\,]/g, "\\$&")).join(",");
}

export function split(text: string | undefined): string[] {
  if (!text) return [];
  const found = text.match(/(?:\\[\s\S]|[^\\,])+/g) ?? [];
  return found.map((each) => each.replace(/\\([\s\S])/g, "$1"));
}

export function widthsOf(text: string | undefined): Map<string, number> {
  const pairs = split(text).map((each) => [each.slice(each.indexOf("=") + 1), Number.parseInt(each, 10)] as const);
  return new Map(pairs.filter(([id, width]) => id && width >= NARROWEST && width <= WIDEST));
}

/** The width stands first: an id may have an equals sign. */
export function widthsText(widths: ReadonlyMap<string, number>): string {
  return joined([...widths].map(([id, width]) => `${Math.round(width)}=${id}`));
}

/** Rows at the top. */
export const MOST_PINNED = 20;

export const NARROWEST = 56;
export const WIDEST = 900;

/** The same list with one element moved before or behind its neighbour, by `places`. */
export function moved(ids: readonly string[], id: string, places: number): string[] {
  const from = ids.indexOf(id);
  const rest = ids.filter((each) => each !== id);
  rest.splice(Math.max(0, Math.min(rest.length, from + places)), 0, id);
  return from < 0 ? [...ids] : rest;
}

/** The list with or without an element. */
export function toggled(ids: readonly string[], id: string): string[] {
  return ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id];
}

/** The part of a state that a view keeps. A view may come from another program: only texts count. */
export function viewOf(state: Readonly<Record<string, unknown>>): Record<string, string> {
  const known = VIEW_NAMES.map((name) => [name, state[name]] as const);
  return Object.fromEntries(
    known.filter((each): each is [(typeof VIEW_NAMES)[number], string] => !!each[1] && typeof each[1] === "string"),
  );
}
