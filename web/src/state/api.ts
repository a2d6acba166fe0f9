/** The API of the server that has served this page. */
import { Api } from "../api/client.ts";
import { connected, reconnect } from "./connection.ts";
import { awaitSignIn } from "./sign-in.ts";

/** In development Vite serves the page, and passes /api on to the server. */
const SITE = document.documentElement.dataset.site || `${window.location.origin}/api`;

export const api = new Api({
  site: SITE,
  fetch: (url, options) => fetch(url, options),
  signIn: awaitSignIn,
  connected,
  reconnect,
  pause: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
});
