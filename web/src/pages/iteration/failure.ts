/** The line of an error message that says what went wrong: the last of a Python traceback, else the first. */
export function headline(message: string): string {
  const lines = message.split("\n").filter((line) => line.trim());
  if (!lines[0]?.startsWith("Traceback ")) return lines[0]?.trim() ?? "";
  // Notes and groups follow the line of the error with an indent or a mark.
  return (lines.findLast((line) => /^[\w.]+(:|$)/.test(line)) ?? lines.at(-1) ?? "").trim();
}
