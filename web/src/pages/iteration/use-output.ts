/** The output of an iteration while a component shows it. It grows as long as the iteration runs. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../../state/api.ts";
import { Bell } from "./bell.ts";
import { append, follow, type Line, type Page } from "./output.ts";

const PATH = "/iterations/{iteration_id}/output";
/** Of a long output the newest lines come first. */
export const NEWEST = 2000;

export interface Output {
  lines: readonly Line[];
  /** Changes with every new line; the list itself is the same one. */
  version: number;
  loaded: boolean;
  /** There may be earlier lines. */
  cut: boolean;
  error: unknown;
  retry: () => void;
}

const NOTHING = { lines: [], version: 0, loaded: false, cut: false, error: undefined };

interface Life {
  running: boolean;
  /** Grows with each sign of life. */
  news: number;
}

export function useOutput(iterationId: string, { running, news }: Life, whole: boolean): Output {
  const [tries, setTries] = useState(0);
  const [output, setOutput] = useState<Omit<Output, "retry">>(NOTHING);
  const runs = useRef(running);
  // The end needs no new start: the reader sees it. An iteration that is resumed grows again.
  const starts = useRef(0);
  if (running && !runs.current) starts.current += 1;
  runs.current = running;
  const state = `${news} ${running}`;
  const bell = useRef<Bell | undefined>(undefined);
  bell.current ??= new Bell(state);
  useEffect(() => bell.current?.ring(state), [state]);
  useEffect(() => {
    const left = new AbortController();
    const ids = { iteration_id: iterationId };
    const lines: Line[] = [];
    let cut = false;
    const show = (page: Page) => {
      append(lines, page.data, page.gap);
      setOutput(({ version }) => ({ lines, version: version + 1, loaded: true, cut, error: undefined }));
    };
    const read = (after: string | null, signal: AbortSignal) =>
      api.get(PATH, { ids, query: after === null ? {} : { after }, signal } as never) as Promise<Page>;
    const start = async () => {
      const first = whole ? undefined : await tail(iterationId, left.signal);
      cut = (first?.data.length ?? 0) >= NEWEST;
      if (first) show(cut ? { ...first, gap: null } : first);
      await follow(
        first?.cursor ?? null,
        { read, news: async (signal) => bell.current?.news(signal), running: () => runs.current, show },
        left.signal,
      );
    };
    start().catch((error) => {
      if (!left.signal.aborted) setOutput((old) => ({ ...old, loaded: true, error }));
    });
    return () => left.abort();
  }, [iterationId, whole, starts.current, tries]);
  return { ...output, retry: () => setTries(tries + 1) };
}

function tail(iterationId: string, signal: AbortSignal): Promise<Page> {
  const given = { ids: { iteration_id: iterationId }, query: { tail: NEWEST }, signal };
  return api.get(PATH, given as never) as Promise<Page>;
}
