/** A line of a terminal as pieces with a colour. Other escape sequences are left out: they move a cursor. */

export interface Piece {
  text: string;
  /** "red", "bright-red" … */
  colour?: string;
  bold?: boolean;
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const ESC = "\u001b";
const BELL = "\u0007";
const SEQUENCES = [
  // CSI: `31m` is a colour; others move the cursor or clear something.
  String.raw`\[([0-9;:]*)([@-~])`,
  String.raw`\[[0-?]*[ -/]*[@-~]`,
  // OSC, up to its end: a title, a link.
  String.raw`\][^${BELL}${ESC}]*(?:${BELL}|${ESC}\\)?`,
  String.raw`[@-Z\\-_]?`,
];
const ESCAPE = new RegExp(SEQUENCES.map((each) => `${ESC}${each}`).join("|"), "g");
const CONTROL = /(?!\t)\p{Cc}/gu;

export function pieces(line: string): Piece[] {
  const found: Piece[] = [];
  let style: Omit<Piece, "text"> = {};
  let from = 0;
  const add = (text: string) => {
    const clean = text.replace(CONTROL, "");
    if (clean) found.push({ text: clean, ...style });
  };
  for (const match of line.matchAll(ESCAPE)) {
    add(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") style = restyle(style, match[1] ?? "");
  }
  add(line.slice(from));
  return found;
}

/** The text alone. */
export function plain(line: string): string {
  return line.replace(ESCAPE, "").replace(CONTROL, "");
}

function restyle(style: Omit<Piece, "text">, parameters: string): Omit<Piece, "text"> {
  let next = { ...style };
  const codes = parameters.split(/[;:]/).map(Number);
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0;
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 22) delete next.bold;
    else if (code === 39) delete next.colour;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(index + 1));
      if (code === 38) next = without(next, colour);
      index += used;
    } else if (named(code)) next.colour = named(code) as string;
  }
  return next;
}

function without(style: Omit<Piece, "text">, colour: string | undefined): Omit<Piece, "text"> {
  const { colour: _, ...others } = style;
  return colour ? { ...others, colour } : others;
}

function named(code: number): string | undefined {
  if (code >= 30 && code <= 37) return COLOURS[code - 30];
  return code >= 90 && code <= 97 ? `bright-${COLOURS[code - 90]}` : undefined;
}

/** The colour of "5;N" (the first 16 have names), and how many codes it takes. "2;R;G;B" stays without colour. */
function extended(codes: number[]): [string | undefined, number] {
  if (codes[0] === 5) {
    const index = codes[1] ?? 16;
    return [index < 8 ? COLOURS[index] : index < 16 ? `bright-${COLOURS[index - 8]}` : undefined, 2];
  }
  return [undefined, codes[0] === 2 ? 4 : 0];
}
