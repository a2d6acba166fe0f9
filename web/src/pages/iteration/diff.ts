export interface DiffLine {
  kind: "added" | "removed" | "same" | "hunk" | "file";
  text: string;
}

/** The lines of a unified diff. In a hunk only the first character counts: "--- x" is a removed line there. */
export function parseDiff(text: string): DiffLine[] {
  let old = 0;
  let fresh = 0;
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => {
      const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
      if (hunk) {
        old = Number(hunk[1] ?? 1);
        fresh = Number(hunk[2] ?? 1);
        return { kind: "hunk", text: line };
      }
      if (old <= 0 && fresh <= 0) return { kind: line.startsWith("\\") ? "same" : "file", text: line };
      if (line.startsWith("+")) {
        fresh -= 1;
        return { kind: "added", text: line };
      }
      if (line.startsWith("-")) {
        old -= 1;
        return { kind: "removed", text: line };
      }
      if (!line.startsWith("\\")) {
        old -= 1;
        fresh -= 1;
      }
      return { kind: "same", text: line };
    });
}
