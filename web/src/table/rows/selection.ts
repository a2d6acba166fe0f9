/** Which rows are selected, as a set of ids. */

/** Select or free one row; with `anchor` all rows from there to it get the state that it gets. */
export function selected(
  before: ReadonlySet<string>,
  order: readonly string[],
  id: string,
  isOn: boolean,
  anchor?: string,
): Set<string> {
  const [from, to] = [anchor === undefined ? -1 : order.indexOf(anchor), order.indexOf(id)];
  const ids = from < 0 || to < 0 ? [id] : order.slice(Math.min(from, to), Math.max(from, to) + 1);
  const after = new Set(before);
  for (const each of ids) {
    if (isOn) after.add(each);
    else after.delete(each);
  }
  return after;
}

/** Parts of at most `size` ids: what one request takes. */
export function inParts(ids: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, at) => ids.slice(at * size, (at + 1) * size));
}
