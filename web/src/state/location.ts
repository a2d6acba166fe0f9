/** The state of a page in its URL: `#/experiments/ID?filter=…`. Nothing behind the # is sent to a server. */

export interface Location {
  path: string;
  query: Readonly<Record<string, string>>;
}

export type Ids = Readonly<Record<string, string>>;

/** What stands before each path: in a share `/s/SECRET`, else nothing. */
let before = "";

export function within(prefix: string): void {
  before = prefix;
}

/** The secret in the hash of a share's link. */
export function secretOf(hash: string): string | undefined {
  return /^#\/s\/(\w+)/.exec(hash)?.[1];
}

export function parseHash(hash: string): Location {
  const [whole = "", search = ""] = splitOnce(hash.replace(/^#/, ""), "?");
  const path = whole.startsWith(before) ? whole.slice(before.length) : whole;
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(search)) query[name] = value;
  return { path: `/${path.replace(/^\/+|\/+$/g, "")}`, query };
}

/** The hash of a path; absent and empty values are left out, so that one state has one URL. */
export function hashOf(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const search = new URLSearchParams();
  for (const name of Object.keys(query).sort()) if (query[name]) search.set(name, query[name]);
  const text = search.toString();
  return `#${before}${path}${text ? `?${text}` : ""}`;
}

/** The ids of a path that fits a pattern such as `/projects/:projectId`; undefined if it does not. */
export function match(pattern: string, path: string): Ids | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const ids: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":") && value) ids[part.slice(1)] = decode(value);
    else if (part !== value) return undefined;
  }
  return ids;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
}
