/** Summaries of many iterations: those wanted at the same moment come with one request for each experiment. */

export type Ask<T> = (experimentId: string, ids: string[]) => Promise<{ data: Record<string, T>; left: string[] }>;

interface Waiting<T> {
  resolve: (found: T | undefined) => void;
  reject: (error: unknown) => void;
}

/** A URL has room for as many ids. */
const MOST_IDS = 100;

export class Summaries<T> {
  readonly #ask: Ask<T>;
  readonly #waiting = new Map<string, Map<string, Waiting<T>[]>>();

  constructor(ask: Ask<T>) {
    this.#ask = ask;
  }

  /** Undefined if the experiment has no such iteration. */
  load(experimentId: string, id: string): Promise<T | undefined> {
    if (this.#waiting.size === 0) queueMicrotask(() => this.#send());
    const ids = this.#waiting.get(experimentId) ?? new Map<string, Waiting<T>[]>();
    this.#waiting.set(experimentId, ids);
    return new Promise((resolve, reject) => ids.set(id, [...(ids.get(id) ?? []), { resolve, reject }]));
  }

  #send(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [experimentId, ids] of waiting) {
      const all = [...ids.keys()];
      for (let at = 0; at < all.length; at += MOST_IDS)
        void this.#fetch(experimentId, all.slice(at, at + MOST_IDS), ids);
    }
  }

  async #fetch(experimentId: string, wanted: string[], ids: Map<string, Waiting<T>[]>): Promise<void> {
    let left = wanted;
    try {
      while (left.length) {
        const answer = await this.#ask(experimentId, left);
        const rest = new Set(answer.left);
        const answered = left.filter((id) => !rest.has(id));
        for (const id of answered) for (const each of ids.get(id) ?? []) each.resolve(answer.data[id]);
        if (!answered.length) throw new Error("The server answered no summary.");
        left = left.filter((id) => rest.has(id));
      }
    } catch (error) {
      for (const id of left) for (const each of ids.get(id) ?? []) each.reject(error);
    }
  }
}
