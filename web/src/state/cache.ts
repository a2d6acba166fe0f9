/**
 * Answers of the API that pages share. A page shows what is known at once, and the server's answer when it comes.
 * An entry that no page shows is kept until there are too many.
 */
import { type Signal, signal } from "@preact/signals";

export interface Entry<T> {
  /** The last answer, also while another is on its way, and after one that failed. */
  data?: T;
  error?: unknown;
  loading: boolean;
}

export type Load<T> = (signal: AbortSignal, show: (partial: T) => void) => Promise<T>;

interface Kept {
  state: Signal<Entry<unknown>>;
  load: Load<unknown>;
  users: number;
  /** When the last answer came. */
  readAt?: number;
  running?: AbortController;
}

const MOST = 200;

export class Cache {
  readonly #kept = new Map<string, Kept>();

  /**
   * The entry of a key, read now, or with those who wait for it already. Call the second when it is no longer shown.
   * An answer of the last `freshMs` is not read again.
   */
  use<T>(key: string, load: Load<T>, freshMs = 0): [Signal<Entry<T>>, () => void] {
    const kept = this.#entry(key, load as Load<unknown>);
    const isComing = kept.users > 0 && kept.state.peek().loading;
    const isFresh = kept.readAt !== undefined && performance.now() - kept.readAt < freshMs;
    kept.users += 1;
    if (!isComing && !isFresh) void this.#run(kept);
    return [kept.state as Signal<Entry<T>>, () => this.#release(kept)];
  }

  /** The last answer of a key. */
  peek<T>(key: string): T | undefined {
    return this.#kept.get(key)?.state.peek().data as T | undefined;
  }

  /** Show this in place of the answer: what a write has answered, or what a poll has brought. */
  put<T>(key: string, data: T): void {
    const kept = this.#kept.get(key);
    if (kept) kept.state.value = { ...kept.state.peek(), data };
  }

  /** Read again what is shown of the keys that begin with this; forget the others. */
  invalidate(prefix: string): void {
    for (const [key, kept] of this.#kept) {
      if (!key.startsWith(prefix)) continue;
      if (kept.users > 0) void this.#run(kept);
      else this.#kept.delete(key);
    }
  }

  /** Read one key again, if it is shown. */
  reload(key: string): void {
    const kept = this.#kept.get(key);
    if (kept && kept.users > 0) void this.#run(kept);
  }

  clear(): void {
    for (const kept of this.#kept.values()) kept.running?.abort();
    this.#kept.clear();
  }

  #entry(key: string, load: Load<unknown>): Kept {
    const known = this.#kept.get(key);
    if (known) {
      known.load = load;
      // The last used are the last to be forgotten.
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known;
    }
    const kept: Kept = { state: signal<Entry<unknown>>({ loading: true }), load, users: 0 };
    this.#kept.set(key, kept);
    for (const [old, each] of this.#kept) {
      if (this.#kept.size <= MOST) break;
      if (each.users === 0 && each !== kept) this.#kept.delete(old);
    }
    return kept;
  }

  async #run(kept: Kept): Promise<void> {
    kept.running?.abort();
    const running = new AbortController();
    kept.running = running;
    const show = (change: Partial<Entry<unknown>>) => {
      if (kept.running === running) kept.state.value = { ...kept.state.peek(), ...change };
    };
    show({ loading: true });
    try {
      const data = await kept.load(running.signal, (partial) => show({ data: partial }));
      show({ data, error: undefined, loading: false });
      if (kept.running === running) kept.readAt = performance.now();
    } catch (error) {
      if (!running.signal.aborted) show({ error, loading: false });
    }
  }

  #release(kept: Kept): void {
    kept.users -= 1;
    if (kept.users > 0) return;
    kept.running?.abort();
    delete kept.running;
  }
}
