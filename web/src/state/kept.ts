/** The preferences of a user as this browser keeps them for the first moment of a page. */

const KEPT = "deardiary-preferences";

export type Preferences = Readonly<Record<string, unknown>>;

export function keptPreferences(): Preferences {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
}

export function keepPreferences(preferences: Preferences): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(preferences));
  } catch {
    // A browser may refuse storage; the server has it.
  }
}
