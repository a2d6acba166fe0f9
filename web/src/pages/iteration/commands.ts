import type { Schemas } from "./part.ts";

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
