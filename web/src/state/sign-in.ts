/** Requests without a session wait here for the sign-in; the page keeps its state while the dialog is open. */
import { signal } from "@preact/signals";

/** True while the dialog is open. */
export const asksForSignIn = signal(false);
let waiting: { promise: Promise<void>; resolve: () => void } | undefined;

/** Resolves when somebody has signed in. */
export function awaitSignIn(): Promise<void> {
  waiting ??= Promise.withResolvers<void>();
  asksForSignIn.value = true;
  return waiting.promise;
}

export function signedIn(): void {
  asksForSignIn.value = false;
  waiting?.resolve();
  waiting = undefined;
}
