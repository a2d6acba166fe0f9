export interface Part {
  text: string;
  isHit: boolean;
}

/** The text in parts: where it has the search, in any case, and between. */
export function split(text: string, search: string): Part[] {
  const wanted = search.toLowerCase();
  const lower = text.toLowerCase();
  // A letter whose small form is longer would shift all places.
  if (!wanted || lower.length !== text.length) return [{ text, isHit: false }];
  const parts: Part[] = [];
  let from = 0;
  for (let hit = lower.indexOf(wanted); hit >= 0; hit = lower.indexOf(wanted, from)) {
    if (hit > from) parts.push({ text: text.slice(from, hit), isHit: false });
    from = hit + wanted.length;
    parts.push({ text: text.slice(hit, from), isHit: true });
  }
  if (from < text.length) parts.push({ text: text.slice(from), isHit: false });
  return parts;
}
