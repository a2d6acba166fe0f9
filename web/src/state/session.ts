/** Who is signed in. */
import { signal } from "@preact/signals";
import { ApiError } from "../api/errors.ts";
import type { components } from "../api/operations.ts";
import { api } from "./api.ts";
import { signedIn } from "./sign-in.ts";

export type Me = components["schemas"]["Me"];

/** False for a server without sign-in (`make run`). */
export const NEEDS_SIGN_IN = document.documentElement.dataset.signIn !== "off";
/** The name of the OpenID Connect provider that signs in too; undefined without one. */
export const PROVIDER = document.documentElement.dataset.provider;
/** False if only admins sign in with a password. */
export const PASSWORD_FOR_ALL = document.documentElement.dataset.password !== "admin";
const RENEW_BEFORE_MS = 60 * 60 * 1000;
const RETRY_MS = 5 * 60 * 1000;
const NO_COOKIE = "The password is right, but this browser keeps no session: use https, or 127.0.0.1 on this machine.";

export const me = signal<Me | undefined>(undefined);
let renewal: ReturnType<typeof setTimeout> | undefined;

/** The server has set the cookie, or throws why not. Another user than before gets a fresh page. */
export async function signIn(username: string, password: string): Promise<void> {
  const session = await api.post("/auth/session", { body: { username, password } });
  if (me.peek() && me.peek()?.id !== session.user.id) {
    window.location.reload();
    return;
  }
  await checkCookie();
  renewLater(session.expires_at);
  signedIn();
}

/** Where the sign-in at the provider begins; it leads back to this page of the dashboard. */
export function providerUrl(): string {
  return `${api.site}/auth/oidc/start?page=${encodeURIComponent(window.location.hash)}`;
}

/** A browser drops the cookie where the connection is neither encrypted nor within this machine. */
async function checkCookie(): Promise<void> {
  try {
    await api.send("get", "/auth/me", { failsSignedOut: true });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) throw new Error(NO_COOKIE);
    throw error;
  }
}

export async function signOut(): Promise<void> {
  await api.delete("/auth/session");
  window.location.hash = "";
  window.location.reload();
}

export async function loadMe(): Promise<void> {
  me.value = await api.get("/auth/me", { query: { include: "permissions" } });
  if (NEEDS_SIGN_IN && !renewal) void renew();
}

/** Keep an open page signed in, while the server allows it without the password. */
async function renew(): Promise<void> {
  try {
    renewLater((await api.post("/auth/session/refresh")).expires_at);
  } catch (error) {
    // Where the session has ended, the next request asks for a sign-in.
    if (!(error instanceof ApiError && error.status === 401)) renewal = setTimeout(renew, RETRY_MS);
  }
}

function renewLater(expiresAt: string): void {
  clearTimeout(renewal);
  const life = Date.parse(expiresAt) - Date.now();
  renewal = setTimeout(renew, Math.max(60_000, life - RENEW_BEFORE_MS));
}
