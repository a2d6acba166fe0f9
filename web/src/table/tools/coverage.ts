/** What the table says while groups, differences or a tree are not of all rows. */

interface Read {
  rows: number;
  /** Unknown where the server has not counted. */
  total: number | undefined;
  hasMore: boolean;
  failed: boolean;
}

/** `what`: "Groups", "Groups and differences". Undefined when they are of all rows. */
export function coverageOf(what: string, { rows, total, hasMore, failed }: Read, most: number): string | undefined {
  if (!what || !hasMore) return undefined;
  const read = rows.toLocaleString("en-GB");
  const of = total === undefined ? "" : ` of ${total.toLocaleString("en-GB")}`;
  if (rows >= most) return `${what} cover the first ${read}${of} iterations: filter for fewer`;
  return failed ? `${what} cover ${read}${of} iterations` : `${what} cover ${read}${of} iterations so far`;
}

/** The parts of the table that need all rows. */
export function needing(state: { group?: string; differs?: string; tree?: string }): string {
  const parts = [state.group && "groups", state.differs && "differences", state.tree && !state.group && "children"];
  const text = parts.filter(Boolean).join(" and ");
  return text && (text[0] ?? "").toUpperCase() + text.slice(1);
}
