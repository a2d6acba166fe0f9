import assert from "node:assert/strict";
import { test } from "node:test";
import { Api, type Surroundings } from "./client.ts";
import { ApiError, Offline } from "./errors.ts";

type Step = Response | Error;

function etagOf(options: RequestInit | undefined): string {
  const etag = new Headers(options?.headers).get("if-none-match");
  return etag ? ` if ${etag}` : "";
}

/** An API whose server answers with these steps, and the record of what happened. */
function api(...steps: Step[]): { api: Api; said: string[] } {
  const said: string[] = [];
  const around: Surroundings = {
    site: "https://x/api",
    fetch: async (url, options) => {
      said.push(`${options?.method} ${url}${options?.body ? ` ${options.body}` : ""}${etagOf(options)}`);
      const step = steps.shift();
      assert.ok(step, "one request too many");
      if (step instanceof Error) throw step;
      return step;
    },
    signIn: async () => void said.push("sign in"),
    connected: () => {},
    reconnect: async () => void said.push("reconnect"),
    pause: async (milliseconds) => void said.push(`pause ${milliseconds}`),
  };
  return { api: new Api(around), said };
}

const json = (body: unknown, status = 200, headers = {}) => new Response(JSON.stringify(body), { status, headers });
const refusal = (status: number, code: string, headers = {}) => json({ code, message: "No" }, status, headers);

test("a request has its ids, its query and its body", async () => {
  const { api: it, said } = api(json({ id: "p" }, 201));
  await it.post("/projects", { body: { name: "Iris" } });
  assert.deepEqual(said, ['POST https://x/api/projects {"name":"Iris"}']);
});

test("an ended session waits for the sign-in, then the same request is sent again", async () => {
  const { api: it, said } = api(refusal(401, "TOKEN_EXPIRED"), json({ id: "p" }));
  await it.patch("/projects/{project_id}", { ids: { project_id: "p" }, body: { name: "n" } });
  const request = 'PATCH https://x/api/projects/p {"name":"n"}';
  assert.deepEqual(said, [request, "sign in", request]);
});

test("a wrong password is the caller's error, and asks for no sign-in", async () => {
  const { api: it, said } = api(refusal(401, "INVALID_CREDENTIALS"));
  const body = { username: "a", password: "b" };
  await assert.rejects(
    it.post("/auth/session", { body }),
    (error) => (error as ApiError).code === "INVALID_CREDENTIALS",
  );
  assert.equal(said.length, 1);
});

test("a read waits for the connection, a write says that it was not sent", async () => {
  const { api: it, said } = api(
    new TypeError("network"),
    json({ data: [], next_cursor: null }),
    new TypeError("network"),
  );
  await it.get("/projects");
  assert.deepEqual(said, ["GET https://x/api/projects", "reconnect", "GET https://x/api/projects"]);
  await assert.rejects(it.post("/projects", { body: { name: "n" } }), Offline);
});

test("a busy server is given the time that it names, a few times", async () => {
  const busy = () => refusal(503, "UNAVAILABLE", { "retry-after": "2" });
  const { api: it, said } = api(busy(), busy(), busy(), busy());
  await assert.rejects(it.get("/projects"), (error) => (error as ApiError).status === 503);
  assert.deepEqual(
    said.filter((each) => each.startsWith("pause")),
    ["pause 2000", "pause 2000", "pause 2000"],
  );
});

test("an error names its field, and an answer of a proxy is an error too", async () => {
  const details = { field: "name" };
  const { api: it } = api(
    json({ code: "INVALID_PAYLOAD", message: "No", details }, 422),
    new Response("<html>", { status: 500 }),
  );
  await assert.rejects(it.get("/projects"), (error) => (error as ApiError).field === "name");
  await assert.rejects(it.get("/projects"), (error) => error instanceof ApiError && error.code === "UNKNOWN");
});

test("bytes are asked for as bytes, without the session, and a refusal is an error", async () => {
  const { api: it, said } = api(new Response("weights"), new Response("<Error/>", { status: 403 }));
  assert.equal(await (await it.bytes("https://store/x?signature")).text(), "weights");
  await assert.rejects(it.bytes("https://store/x"), (error) => error instanceof ApiError && error.status === 403);
  assert.deepEqual(said, ["undefined https://store/x?signature", "undefined https://store/x"]);
});

test("all pages of a list are read", async () => {
  const { api: it, said } = api(json({ data: [1, 2], next_cursor: "c" }), json({ data: [3], next_cursor: null }));
  const rows: unknown[] = [];
  for await (const page of it.pages("/projects")) rows.push(...page);
  assert.deepEqual(rows, [1, 2, 3]);
  assert.deepEqual(said, ["GET https://x/api/projects?limit=200", "GET https://x/api/projects?limit=200&cursor=c"]);
});

test("a fresh read sends the ETag, and 304 is no news", async () => {
  const page = { data: [], next_cursor: null };
  const { api: it, said } = api(json(page, 200, { etag: '"1"' }), new Response(null, { status: 304 }));
  assert.deepEqual(await it.fresh("/projects", {}), { body: page, etag: '"1"' });
  assert.equal(await it.fresh("/projects", {}, '"1"'), undefined);
  assert.deepEqual(said, ["GET https://x/api/projects", 'GET https://x/api/projects if "1"']);
});
