/** The API of the server that has served this page. */
import { Api } from "../api/client.ts";
import { SITE, takeAhead } from "../start/ahead.ts";
import { connected, reconnect } from "./connection.ts";
import { ofShare, openShare, SECRET } from "./share.ts";
import { awaitSignIn } from "./sign-in.ts";

export const api: Api = new Api({
  site: SITE,
  fetch: (url, options = {}) => takeAhead(String(url), options) ?? fetch(url, ofShare(options)),
  signIn: SECRET ? () => openShare(api) : awaitSignIn,
  connected,
  reconnect,
  pause: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
});
