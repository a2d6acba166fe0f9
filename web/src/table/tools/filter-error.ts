/** What is wrong with a filter, in the words of the server. */
import { ApiError, messageOf } from "../../api/errors.ts";
import { quoted } from "../columns/quoted.ts";
import type { Keys } from "../rows/model.ts";

export interface Wrong {
  message: string;
  /** It counts characters from 1. */
  column: number | undefined;
}

/** Undefined for an error that is not the filter's. */
export function filterError(error: unknown, keys: Keys): Wrong | undefined {
  if (!(error instanceof ApiError) || error.field !== "filter") return undefined;
  const { column } = error.details;
  const message = messageOf(error)
    .replace(/^filter, column \d+: /, "")
    .replace(/ \(docs\/search\.md\)$/, "");
  return { message: withKnownKeys(message, keys), column: typeof column === "number" ? column : undefined };
}

/** The parser knows no keys: it proposes a parameter and a metric for each word. Keep those that are in use. */
export function withKnownKeys(message: string, keys: Keys): string {
  return message.replace(/, did you mean parameters\.(\w+) or metrics\.\1\?/, (_, word: string) => {
    const names = (["metrics", "parameters", "labels"] as const).flatMap((kind) =>
      keys[kind]
        .filter(({ key }) => key.toLowerCase() === word.toLowerCase())
        .map(({ key }) => `${kind}.${quoted(key)}`),
    );
    return names.length ? `, did you mean ${names.join(" or ")}?` : ".";
  });
}
