// An OpenID Connect provider: the npm package oidc-provider. It prints its port, then reads the redirect URI of its client.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Provider } = createRequire(`${process.argv[2]}/`)("oidc-provider");
let provider;
const server = createServer((request, response) => provider.callback()(request, response));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));

createInterface({ input: process.stdin }).once("line", (redirect) => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  provider = new Provider(issuer, {
    clients: [{ client_id: "deardiary", client_secret: "a secret: with +", redirect_uris: [redirect] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username", "groups"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["a key for the cookies of a test"] },
    features: { devInteractions: { enabled: true } },
    pkce: { required: () => true },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@example.org`,
        email_verified: true,
        preferred_username: id,
        groups: id === "ada" ? ["ml"] : [],
      }),
    }),
  });
  console.log(issuer);
});
