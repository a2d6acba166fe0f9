/** A page that is not visible paints nothing. */
const LONGEST_MS = 200;

/** Resolves when what was rendered is on the screen. What is less urgent then does not delay it. */
export function painted(): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, LONGEST_MS);
    requestAnimationFrame(() => setTimeout(done));
  });
}
