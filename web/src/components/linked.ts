/** The addresses of the web in a text of a user. */

export interface Part {
  text: string;
  href?: string;
}

// Marks that turn the direction of a text could make an address look like another.
const ADDRESS = /\bhttps?:\/\/[^\s<>"'\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;

/** The text in its order, as text and links. Only http and https are links. */
export function linksIn(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(ADDRESS)) {
    const address = withoutStop(found[0]);
    const href = URL.canParse(address) ? new URL(address).href : undefined;
    if (!href) continue;
    if (found.index > end) parts.push({ text: text.slice(end, found.index) });
    parts.push({ text: address, href });
    end = found.index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** Without what ends the sentence around it. */
function withoutStop(address: string): string {
  const last = address.at(-1) ?? "";
  const opens = address.split("(").length < address.split(")").length;
  return ".,;:!?]}*_".includes(last) || (last === ")" && opens) ? withoutStop(address.slice(0, -1)) : address;
}
