/** JSON with line breaks; undefined if it is not JSON. Numbers stay as they are written: large ones would be rounded. */
export function prettyJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g) ?? [];
  const out: string[] = [];
  let depth = 0;
  const line = () => out.push(`\n${"  ".repeat(depth)}`);
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1] ?? "";
    const before = tokens[index - 1] ?? "";
    if (token === "}" || token === "]") {
      depth -= 1;
      if (!"{[".includes(before) || before === "") line();
      out.push(token);
    } else if (token === "{" || token === "[") {
      depth += 1;
      out.push(token);
      if (next !== "}" && next !== "]") line();
    } else if (token === ",") {
      out.push(token);
      line();
    } else out.push(token === ":" ? ": " : token);
  }
  return out.join("");
}
