/** The files of an iteration, read again while it runs. */
import { useList } from "../../state/use.ts";
import { useAtEnd } from "./at-end.ts";
import { useAtNews } from "./live.ts";
import type { PartProps } from "./part.ts";

/** The feed says nothing of files. */
const SECONDS = 30;

export function useFiles({ iteration, running, news }: PartProps) {
  const list = useList("/experiments/{experiment_id}/resources", {
    ids: { experiment_id: iteration.experiment_id },
    query: { iteration_id: iteration.id },
  });
  useAtNews(news, SECONDS, list.reload);
  useAtEnd(running, list.reload);
  return list;
}
