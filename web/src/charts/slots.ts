/** Which colour an iteration has: a number that it keeps while it is shown, and that no other shown iteration has. */
export class Slots {
  readonly #of = new Map<string, number>();

  /** The number of each of these ids. Others lose theirs. */
  assign(ids: readonly string[]): ReadonlyMap<string, number> {
    const shown = new Set(ids);
    for (const id of this.#of.keys()) if (!shown.has(id)) this.#of.delete(id);
    const taken = new Set(this.#of.values());
    for (const id of ids) {
      if (this.#of.has(id)) continue;
      let free = 0;
      while (taken.has(free)) free += 1;
      taken.add(free);
      this.#of.set(id, free);
    }
    return new Map(this.#of);
  }
}

export const COLOURS = 8;
const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [8, 3, 2, 3]];

/** The custom property with the colour of a slot. */
export function colourName(slot: number): string {
  return `--series-${1 + (slot % COLOURS)}`;
}

/** After the colours come the same ones with dashes. */
export function dashOf(slot: number): readonly number[] {
  return DASHES[Math.floor(slot / COLOURS) % DASHES.length] ?? [];
}
