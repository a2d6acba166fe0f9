/** Wakes who waits for news. News that comes before somebody waits is not lost. */
export class Bell {
  #heard: string;
  #latest: string;
  #wake: (() => void) | undefined;

  /** `state`: what is known already. */
  constructor(state: string) {
    this.#heard = state;
    this.#latest = state;
  }

  ring(state: string): void {
    this.#latest = state;
    this.#wake?.();
  }

  /** Resolves when the state is another one than at the last call, or when the signal aborts. */
  async news(signal: AbortSignal): Promise<void> {
    while (this.#heard === this.#latest && !signal.aborted) {
      await new Promise<void>((done) => {
        this.#wake = done;
        signal.addEventListener("abort", () => done(), { once: true });
      });
    }
    this.#heard = this.#latest;
  }
}
