export type QueryValue = string | number | boolean | readonly (string | number)[] | null | undefined;
export type QueryValues = Readonly<Record<string, QueryValue>>;

/** The path with its ids, and the query. Absent values are left out; a list repeats its name. */
export function urlOf(path: string, ids: Readonly<Record<string, string>> = {}, query: QueryValues = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[name];
    if (id === undefined) throw new TypeError(`${path} needs ${name}`);
    return encodeURIComponent(id);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const values = Array.isArray(value) ? value : [value];
    for (const each of values) if (each !== undefined && each !== null) search.append(name, String(each));
  }
  const text = search.toString();
  return text ? `${filled}?${text}` : filled;
}
