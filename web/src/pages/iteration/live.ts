/** What changes in an iteration while its page is open. One feed serves all parts of the page. */
import { useEffect, useRef, useState } from "preact/hooks";
import { RUNNING } from "../../api/words.ts";
import { follow } from "../../state/follow.ts";
import { keepGrown, keepRow } from "../../state/iteration-row.ts";
import { cache } from "../../state/use.ts";
import type { Iteration } from "./part.ts";

/**
 * A number that grows with each sign of life: a heartbeat or a change. The feed brings the iteration and its
 * summaries by itself. An iteration that has ended since the page was opened is followed on: its last points may be late.
 */
export function useNews(iteration: Iteration | undefined): number {
  const [news, setNews] = useState(0);
  const ran = useRef<Iteration | undefined>(undefined);
  if (iteration?.status_id === RUNNING) ran.current = iteration;
  const isFollowed = iteration !== undefined && ran.current?.id === iteration.id;
  useEffect(() => {
    if (!isFollowed) return;
    const { id, experiment_id } = iteration;
    let seen: string | undefined;
    return follow(
      experiment_id,
      () => ({ ids: [id] }),
      ({ data, grown, gone, last_seen }, isFirst) => {
        for (const row of data) keepRow(row);
        keepGrown(grown);
        if (gone.includes(id)) cache.reload(`/iterations/${id}`);
        const isNew = data.length > 0 || Object.hasOwn(grown ?? {}, id) || last_seen?.[id] !== seen;
        seen = last_seen?.[id];
        // The parts have just been read.
        if (isNew && !isFirst) setNews((count) => count + 1);
      },
    );
  }, [isFollowed, iteration?.id]);
  return news;
}

/** Read again when there is news, at most every so many seconds. */
export function useAtNews(news: number, seconds: number, read: () => void): void {
  const last = useRef({ news, at: Date.now() });
  useEffect(() => {
    if (news === last.current.news) return;
    const due = last.current.at + seconds * 1000;
    const timer = setTimeout(
      () => {
        last.current = { news, at: Date.now() };
        read();
      },
      Math.max(0, due - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [news, seconds]);
}
