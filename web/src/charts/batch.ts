/** Charts that are shown together ask together: their metrics are in the same rows of the server's table. */

type Send<T> = (keys: string[]) => Promise<ReadonlyMap<string, T>>;

interface Group<T> {
  send: Send<T>;
  waiting: Map<string, PromiseWithResolvers<T | undefined>>;
}

export class Batch<T> {
  readonly #groups = new Map<string, Group<T>>();

  /** The answer for a key, asked with the others of its group that are rendered with it; at most `most` at once. */
  want(group: string, key: string, most: number, send: Send<T>): Promise<T | undefined> {
    let found = this.#groups.get(group);
    if (!found) {
      found = { send, waiting: new Map() };
      this.#groups.set(group, found);
      setTimeout(() => this.#close(group));
    }
    const wanted = found.waiting.get(key) ?? Promise.withResolvers<T | undefined>();
    found.waiting.set(key, wanted);
    if (found.waiting.size >= most) this.#close(group);
    return wanted.promise;
  }

  #close(name: string): void {
    const group = this.#groups.get(name);
    this.#groups.delete(name);
    if (!group) return;
    const { waiting } = group;
    group.send([...waiting.keys()]).then(
      (answers) => {
        for (const [key, each] of waiting) each.resolve(answers.get(key));
      },
      (error) => {
        for (const each of waiting.values()) each.reject(error);
      },
    );
  }
}
