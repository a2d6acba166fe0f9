/** Answers of the API in a component: `const project = useGet("/projects/{project_id}", { ids })`. */
import { useEffect, useMemo } from "preact/hooks";
import type { Answer, ListPath, PathOf, Request, Row } from "../api/operations.ts";
import { type QueryValues, urlOf } from "../api/url.ts";
import { api } from "./api.ts";
import { Cache, type Entry, type Load } from "./cache.ts";

export const cache = new Cache();

/** What a component shows, and how to read it again. */
export interface Shown<T> extends Entry<T> {
  reload: () => void;
}

export interface Options {
  /** Read again every so many seconds, while the page is visible. */
  every?: number | undefined;
  /** False: do not read yet. */
  when?: boolean | undefined;
}

/** One object, or one page of a list. */
export function useGet<P extends PathOf<"get">>(
  path: P,
  given: Request<"get", P>,
  options: Options = {},
): Shown<Answer<"get", P>> {
  const { ids, query } = given as { ids?: Record<string, string>; query?: QueryValues };
  return useLoaded(urlOf(path, ids, query), (signal) => api.send("get", path, { ...given, signal } as never), options);
}

/** All rows of a list; the first pages are shown while the others are read. */
export function useList<P extends ListPath>(
  path: P,
  given: Request<"get", P>,
  options: Options & { most?: number } = {},
): Shown<Row<P>[]> {
  const { ids, query } = given as { ids?: Record<string, string>; query?: QueryValues };
  const key = urlOf(path, ids, query);
  const load: Load<Row<P>[]> = async (signal, show) => {
    const rows: Row<P>[] = [];
    for await (const page of api.pages(path, given, signal)) {
      rows.push(...page);
      if (rows.length >= (options.most ?? Number.POSITIVE_INFINITY)) break;
      if ((cache.peek<Row<P>[]>(`${key} all`)?.length ?? 0) < rows.length) show([...rows]);
    }
    return rows;
  };
  return useLoaded(`${key} all`, load, options);
}

/** Whatever a function reads, under a key of its own. */
export function useLoaded<T>(wanted: string, load: Load<unknown>, { every, when = true }: Options = {}): Shown<T> {
  const key = when ? wanted : "not yet";
  const state = useMemo(() => {
    const [entry, release] = cache.use<T>(key, (when ? load : async () => undefined) as Load<T>);
    return { entry, release, reload: () => cache.reload(key) };
  }, [key]);
  useEffect(() => state.release, [state]);
  useEffect(() => (every ? whileVisible(every, () => cache.reload(key)) : undefined), [every, key]);
  return { ...state.entry.value, reload: state.reload };
}

/** Do something every so many seconds while the page is visible. Call the result to stop. */
export function whileVisible(seconds: number, act: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") act();
  }, seconds * 1000);
  return () => clearInterval(timer);
}
