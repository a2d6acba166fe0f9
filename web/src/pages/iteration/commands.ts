import { KILLED } from "../../api/words.ts";
import { headline } from "./failure.ts";
import type { Iteration, Schemas } from "./part.ts";

export type Command = Schemas["Command"];

const WORDS: Record<string, string> = {
  pending: "waits for the program",
  seen: "the program has received it",
  acknowledged: "carried out",
  lapsed: "the iteration ended before",
};

export function describe(command: Pick<Command, "state" | "step">): string {
  const words = WORDS[command.state] ?? command.state;
  const step = command.step;
  return command.state === "acknowledged" && step !== null && step !== undefined ? `${words} at step ${step}` : words;
}

/** It is still on its way. */
export function isOpen(command: Pick<Command, "state">): boolean {
  return command.state === "pending" || command.state === "seen";
}

// As the client begins the error message of an iteration that a command stopped.
const STOPPED = "Stopped by ";

/** A command ended it, and no error. The message says so before the commands are read. */
export function wasStopped(
  { status_id, error_message }: Pick<Iteration, "status_id" | "error_message">,
  stop: Pick<Command, "id"> | undefined,
): boolean {
  return status_id === KILLED && (stop !== undefined || error_message.startsWith(STOPPED));
}

/** "Stopped by ada at step 310: it diverges". */
export function stoppedLine(message: string, stop: Pick<Command, "text" | "step"> | undefined): string {
  const line = headline(message);
  const said = line.startsWith(STOPPED) ? line : "Stopped by a command";
  const at = typeof stop?.step === "number" ? ` at step ${stop.step}` : "";
  const reason = stop?.text ? `: ${stop.text}` : "";
  const by = reason && said.endsWith(reason) ? said.slice(0, -reason.length) : said;
  return `${by}${at}${reason}`;
}
